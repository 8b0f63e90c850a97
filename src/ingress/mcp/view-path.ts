import type { ViewName } from '../../domain/view-name.ts';

const VIEW_PATH = /^\/(servers|v)\/([a-z0-9-]{1,63})\/mcp(?:\?|$)/;

/** The view that a path of the form `/servers/<name>/mcp` or `/v/<name>/mcp` stands for, whether there is one or not. */
export function viewFromPath(url: string): ViewName | undefined {
  const [, kind, name] = VIEW_PATH.exec(url) ?? [];
  if (name === undefined) return undefined;
  return kind === 'v' ? `virtual:${name}` : `server:${name}`;
}
