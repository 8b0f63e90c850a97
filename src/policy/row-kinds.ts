/** One column of a row: its name in messages, and what may stand in it. */
export interface RowColumn {
  readonly name: string;
  readonly means: string;
}

/** What a row of `policy.csv` says, and its columns after the first, which is its kind. */
export interface RowKind {
  readonly means: string;
  readonly columns: readonly RowColumn[];
}

/** The kinds of rows. What is not here is refused. */
export const ROW_KINDS: { readonly p: RowKind; readonly g: RowKind; readonly g2: RowKind } = {
  p: {
    means: 'A grant, or a prohibition',
    columns: [
      { name: 'who', means: '`agent:<glob>`, `role:<name>` or `team:<name>`' },
      {
        name: 'what',
        means: '`tool:<glob>`, such as `tool:files/read_*`, `server:<name>` for what a server may ask, or `set:<name>`',
      },
      { name: 'action', means: 'an action, or `*` for every one' },
      { name: 'when', means: 'a condition in CEL; empty: always' },
      { name: 'effect', means: '`allow` or `deny`' },
    ],
  },
  g: {
    means: 'A membership of an agent in a role, or of a role in a role',
    columns: [
      { name: 'who', means: '`agent:<name>` or `role:<name>`, without `*`' },
      { name: 'role', means: '`role:<name>`' },
    ],
  },
  g2: {
    means: 'A membership of a tool in a set, or of a set in a set',
    columns: [
      { name: 'what', means: '`tool:<server>/<tool>` or `set:<name>`, without `*`' },
      { name: 'set', means: '`set:<name>`' },
    ],
  },
};

/** The names of all columns of a kind, its own first. */
export function columnsOf(kind: keyof typeof ROW_KINDS): readonly string[] {
  return [kind, ...ROW_KINDS[kind].columns.map(({ name }) => name)];
}
