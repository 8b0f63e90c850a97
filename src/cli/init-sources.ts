import { type DraftSearch, findDrafts } from '../app/adopt/find-drafts.ts';
import { homeOf, type Settings } from '../app/settings.ts';
import { ProblemError } from '../domain/problem.ts';
import { canPrompt, promptYesNo } from './ask.ts';
import { printMessage } from './output.ts';

/**
 * The servers that a home is to be made of: those of the named files and, by flag or by a yes on a terminal, of the
 * config files that the programs of agents have here.
 * @throws ProblemError where there is none.
 */
export async function chooseDrafts(
  { from, discover, yes }: { readonly from: readonly string[]; readonly discover: boolean; readonly yes: boolean },
  settings: Settings,
  { signal }: { readonly signal: AbortSignal },
): Promise<DraftSearch> {
  const context = { env: process.env, home: homeOf(settings) };
  const canOffer = from.length === 0 && !discover && !yes && canPrompt();
  const shouldDiscover =
    discover ||
    (canOffer &&
      (await promptYesNo('Look for tool servers where Claude, Cursor, Cline and VS Code keep them?', { signal })));
  if (from.length === 0 && !shouldDiscover) throw new ProblemError([noSource()]);
  const search = findDrafts({ files: from, discover: shouldDiscover }, context);
  for (const file of search.configFiles) printMessage(`read ${file}`);
  if (search.drafts.length > 0) return search;
  throw new ProblemError([...search.problems, noServerFound(from)]);
}

function noSource(): ProblemError['problems'][number] {
  const hint = 'name a config file with `--from .mcp.json`, or add `--discover` to look in the usual places';
  return { code: 'init-nothing-found', at: '--from', message: 'nothing says where tool servers are', hint };
}

function noServerFound(from: readonly string[]): ProblemError['problems'][number] {
  const hint = 'name another file with `--from`: one with `mcpServers` or `servers`, or a server.json';
  return { code: 'init-nothing-found', at: from.join(', '), message: 'no tool server was found', hint };
}
