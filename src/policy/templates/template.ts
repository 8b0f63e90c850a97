import type { Risk } from '../../domain/target.ts';

/** One tool of a starter policy. */
export interface TemplateTool {
  readonly server: string;
  readonly tool: string;
  readonly risk: Risk;
}

/** The input of a template. */
export interface TemplateInput {
  /** Name of the agent. */
  readonly agent: string;
  /** Every pinned tool, in the order of the servers. */
  readonly tools: readonly TemplateTool[];
  /** Ids (`tool:<server>/<tool>`) of the tools that the user named; may be empty. */
  readonly named: readonly string[];
}

/** A starter policy: the text of `policy.csv`, and the expectations for its policy test. */
export interface StarterPolicy {
  readonly policy: string;
  /** Ids of the tools that the agent may and may not call; together they are all tools. */
  readonly may: readonly string[];
  readonly mayNot: readonly string[];
}

/** The id of a tool in rows and policy tests. */
export function toolId({ server, tool }: Pick<TemplateTool, 'server' | 'tool'>): string {
  return `tool:${server}/${tool}`;
}

/** Ids of the tools of one risk. */
export function toolIds(tools: readonly TemplateTool[], risk: Risk): readonly string[] {
  return tools.filter((each) => each.risk === risk).map(toolId);
}

/** Pads the columns of rows of the same kind so that they align. */
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

/** A `p` row without condition. */
export function grantRow(subject: string, object: string, effect: 'allow' | 'deny' = 'allow'): readonly string[] {
  return ['p', subject, object, 'call', '', effect];
}

/** Grants input requests of each server. Never `sample`: sampling spends the agent's own model, so a user must grant it. */
export function inputRequestGrants(
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

/** The `g2` rows of a set. */
export function memberRows(set: string, ids: readonly string[]): readonly (readonly string[])[] {
  return ids.map((id) => ['g2', id, set]);
}
