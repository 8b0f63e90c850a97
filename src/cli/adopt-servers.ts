import { addServer, lookAtServer } from '../app/adopt/add-server.ts';
import type { ServerDraft } from '../app/adopt/draft.ts';
import type { ServerProposal } from '../app/adopt/proposal.ts';
import type { Settings } from '../app/settings.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { isAgreed, requireSomebody } from './agreement.ts';
import { coreOptions } from './core-options.ts';
import { counted } from './counted.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { exitCodeOf, type OutputFormat, printData, say, sayProblems } from './output.ts';
import { draftText, exportsText, proposalJson, proposalText } from './shown-servers.ts';
import { VERSION } from './version.ts';

export interface Adopting {
  readonly settings: Settings;
  /** Agreed to beforehand. */
  readonly yes: boolean;
  /** Tools that are not admitted stay blocked instead of keeping their server out. */
  readonly skipBroken: boolean;
  readonly output: OutputFormat;
  readonly signal: AbortSignal;
}

/**
 * Shows servers, starts each once, shows its tools, asks, and adds those that could be asked.
 * @returns the exit code: of what failed where anything did.
 */
export async function adoptServers(drafts: readonly ServerDraft[], adopting: Adopting): Promise<ExitCode> {
  for (const draft of drafts) say(draftText(draft));
  requireSomebody(adopting);
  const { proposals, problems } = await lookAtAll(drafts, adopting);
  // One server alone is the whole question; of several the others go on.
  if (proposals.length === 0) throw new ProblemError(problems);
  sayProblems(problems, adopting.output);
  for (const proposal of proposals) say(proposalText(proposal));
  const names = proposals.map(({ draft }) => draft.name).join(', ');
  const question = `Add ${names} to ${adopting.settings.registry} and pin ${proposals.some(({ others }) => others.length > 0) ? 'all of this' : 'these tools'}?`;
  if (!(await isAgreed(question, adopting))) {
    say('nothing was written');
    return EXIT.refused;
  }
  const added: ServerProposal[] = [];
  const quiet = coreOptions(adopting.signal);
  // That new tools are not pinned yet is no news to whoever is about to pin them.
  const options = { ...quiet, log: { ...quiet.log, warn: () => {} }, signal: adopting.signal };
  for (const proposal of proposals) {
    try {
      await addServer(proposal, adopting.settings, options);
      added.push(proposal);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      sayProblems(error.problems, adopting.output);
      problems.push(...error.problems);
    }
  }
  printData({ added: added.map(proposalJson) }, adopting.output, () => added.map(addedText).join('\n'));
  if (added.length > 0 && adopting.output === 'text') say(nextText(added));
  return problems.length === 0 ? EXIT.yes : exitCodeOf(new ProblemError(problems));
}

async function lookAtAll(
  drafts: readonly ServerDraft[],
  { settings, skipBroken, signal }: Adopting,
): Promise<{ readonly proposals: readonly ServerProposal[]; readonly problems: Problem[] }> {
  const problems: Problem[] = [];
  const looked = await Promise.all(
    drafts.map(async (draft) => {
      try {
        return withoutBroken(
          await lookAtServer(draft, settings, { env: process.env, version: VERSION, signal }),
          skipBroken,
        );
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        problems.push(...error.problems);
        return undefined;
      }
    }),
  );
  return { proposals: looked.filter((each) => each !== undefined), problems };
}

/** @throws ProblemError for tools that are not admitted, where they are not to be left out. */
function withoutBroken(proposal: ServerProposal, skipBroken: boolean): ServerProposal {
  const { draft, quarantined } = proposal;
  if (skipBroken || quarantined.length === 0) return proposal;
  const hint = 'tell its author; with `--skip-broken` the server is added and the tool stays blocked';
  throw new ProblemError(
    quarantined.map(({ tool, reason }) => ({
      code: 'registry-tool-broken',
      at: draft.from,
      message: `\`${draft.name}\` lists \`${tool}\`, which is not admitted: ${reason}`,
      hint,
    })),
  );
}

function addedText({ draft, tools, others }: ServerProposal): string {
  const more = others.length === 0 ? '' : ` and ${counted(others.length, 'other definition')}`;
  return `added ${draft.name}: ${counted(tools.length, 'tool')}${more} pinned`;
}

function nextText(added: readonly ServerProposal[]): string {
  const exports = exportsText(added.map(({ draft }) => draft));
  const [first] = added;
  const tool = first?.tools[0]?.tool ?? '<tool>';
  return [
    ...(exports === '' ? [] : ['Set where the broker is started:', exports]),
    'Look at the proposed risks in the new file. No agent may call these tools yet; a grant in policies/policy.csv is',
    `  p, agent:<name>, tool:${first?.draft.name ?? '<server>'}/${tool}, call, , allow`,
  ].join('\n');
}
