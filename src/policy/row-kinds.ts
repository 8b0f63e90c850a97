/** One column of a row: its name in messages, and what may stand in it. */
export interface RowColumn {
  readonly name: string;
  readonly description: string;
}

/** What a row of `policy.csv` says, and its columns after the first, which is its kind. */
export interface RowKind {
  readonly description: string;
  readonly columns: readonly RowColumn[];
}

/** The kinds of rows. What is not here is refused. */
export const ROW_KINDS: { readonly p: RowKind; readonly g: RowKind; readonly g2: RowKind } = {
  p: {
    description: 'A grant, or a prohibition',
    columns: [
      { name: 'who', description: '`agent:<glob>`, `role:<name>` or `team:<name>`' },
      {
        name: 'what',
        description:
          '`tool:<glob>`, such as `tool:files/read_*`, `server:<name>` for what a server may ask, or `set:<name>`',
      },
      { name: 'action', description: 'an action, or `*` for every one' },
      { name: 'when', description: 'a condition in CEL; empty: always' },
      { name: 'effect', description: '`allow` or `deny`' },
    ],
  },
  g: {
    description: 'A membership of an agent in a role, or of a role in a role',
    columns: [
      { name: 'who', description: '`agent:<name>` or `role:<name>`, without `*`' },
      { name: 'role', description: '`role:<name>`' },
    ],
  },
  g2: {
    description: 'A membership of a tool in a set, or of a set in a set',
    columns: [
      { name: 'what', description: '`tool:<server>/<tool>` or `set:<name>`, without `*`' },
      { name: 'set', description: '`set:<name>`' },
    ],
  },
};

/** The names of all columns of a kind, its own first. */
export function columnsFor(kind: keyof typeof ROW_KINDS): readonly string[] {
  return [kind, ...ROW_KINDS[kind].columns.map(({ name }) => name)];
}
