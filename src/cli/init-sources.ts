import { type FoundDrafts, findDrafts } from '../app/adopt/find-drafts.ts';
import { homeOf, type Settings } from '../app/settings.ts';
import { ProblemError } from '../domain/problem.ts';
import { askYes, canAsk } from './ask.ts';
import { say } from './output.ts';

/**
 * The servers that a home is to be made of: those of the named files and, by flag or by a yes on a terminal, of the
 * config files that the programs of agents have here.
 * @throws ProblemError where there is none.
 */
export async function sourcesOf(
  { from, discover, yes }: { readonly from: readonly string[]; readonly discover: boolean; readonly yes: boolean },
  settings: Settings,
  { signal }: { readonly signal: AbortSignal },
): Promise<FoundDrafts> {
  const around = { env: process.env, home: homeOf(settings) };
  const mayAsk = from.length === 0 && !discover && !yes && canAsk();
  const isLooking =
    discover ||
    (mayAsk && (await askYes('Look for tool servers where Claude, Cursor, Cline and VS Code keep them?', { signal })));
  if (from.length === 0 && !isLooking) throw new ProblemError([nowhere()]);
  const found = findDrafts({ files: from, discover: isLooking }, around);
  for (const place of found.places) say(`read ${place}`);
  if (found.drafts.length > 0) return found;
  throw new ProblemError([...found.problems, nothing(from)]);
}

function nowhere(): ProblemError['problems'][number] {
  const hint = 'name a config file with `--from .mcp.json`, or add `--discover` to look in the usual places';
  return { code: 'init-nothing-found', at: '--from', message: 'nothing says where tool servers are', hint };
}

function nothing(from: readonly string[]): ProblemError['problems'][number] {
  const hint = 'name another file with `--from`: one with `mcpServers` or `servers`, or a server.json';
  return { code: 'init-nothing-found', at: from.join(', '), message: 'no tool server was found', hint };
}
