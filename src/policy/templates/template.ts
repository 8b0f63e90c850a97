import type { Risk } from '../../domain/target.ts';

/** One tool that a first policy speaks of. */
export interface TemplateTool {
  readonly server: string;
  readonly tool: string;
  readonly risk: Risk;
}

/** What a first policy is made for. */
export interface TemplateInput {
  /** Name of the agent. */
  readonly agent: string;
  /** Every tool that was agreed to, in the order of the servers. */
  readonly tools: readonly TemplateTool[];
  /** Ids (`tool:<server>/<tool>`) of the tools that a person named; empty where nobody named any. */
  readonly named: readonly string[];
}

/** A first policy: what `policy.csv` says, and what must stay true of it. */
export interface StarterPolicy {
  readonly policy: string;
  /** Ids of tools that the agent may call, and of those that it may not: every tool is in one of the two. */
  readonly may: readonly string[];
  readonly mayNot: readonly string[];
}

/** The id of a tool in rows and tests. */
export function toolId({ server, tool }: Pick<TemplateTool, 'server' | 'tool'>): string {
  return `tool:${server}/${tool}`;
}

/** Ids of the tools of one risk. */
export function toolIds(tools: readonly TemplateTool[], risk: Risk): readonly string[] {
  return tools.filter((each) => each.risk === risk).map(toolId);
}

/** Rows of the same kind with their columns one below the other. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : `${cell},`.padEnd((widths[column] ?? 0) + 2)))
      .join('')
      .trimEnd(),
  );
}

/** A grant. An empty condition is always true. */
export function grantRow(subject: string, object: string, effect: 'allow' | 'deny' = 'allow'): readonly string[] {
  return ['p', subject, object, 'call', '', effect];
}

/** What each server may ask of an agent. Sampling is nobody's to grant unasked: it spends the agent's own model. */
export function expectations(
  subject: string,
  tools: readonly TemplateTool[],
  actions: readonly ('elicit' | 'roots')[],
): readonly (readonly string[])[] {
  return serverNames(tools).flatMap((server) =>
    actions.map((action) => ['p', subject, `server:${server}`, action, '', 'allow'] as const),
  );
}

/** The servers of tools, each once. */
export function serverNames(tools: readonly TemplateTool[]): readonly string[] {
  return [...new Set(tools.map(({ server }) => server))];
}

/** The members of a set, or nothing where it has none. */
export function memberRows(set: string, ids: readonly string[]): readonly (readonly string[])[] {
  return ids.map((id) => ['g2', id, set]);
}
