import { onboardingPort } from '../../../app/onboarding-port.ts';
import type { Settings } from '../../../app/settings.ts';
import { type Problem, ProblemError } from '../../../domain/problem.ts';
import { addServer, previewServer } from '../../../onboarding/import/add-server.ts';
import type { ServerDraft } from '../../../onboarding/import/server-draft.ts';
import type { ServerProposal } from '../../../onboarding/import/server-proposal.ts';
import type { ProbeOptions } from '../../../onboarding/port.ts';
import { coreOptions } from '../../daemon/admin-request.ts';
import { draftText, exportsText, serverProposalJson, serverProposalText } from '../../format/server-proposal.ts';
import { EXIT, type ExitCode } from '../../framework/exit-codes.ts';
import {
  exitCodeOf,
  type OutputFormat,
  pluralize,
  printData,
  printMessage,
  printProblems,
} from '../../framework/output.ts';
import { confirm, requireInteractive } from '../../framework/prompt.ts';

/** Options that `registry add` and `registry import` share. */
export interface ImportOptions {
  readonly settings: Settings;
  /** Adds the servers without asking. */
  readonly yes: boolean;
  /** Adds a server even if some of its tools are not admitted; those stay blocked. */
  readonly skipBroken: boolean;
  readonly output: OutputFormat;
  readonly signal: AbortSignal;
}

/**
 * Shows the servers, starts each once, shows its tools, asks for a yes, and adds the servers that work.
 * @returns `EXIT.yes` if all were added, else the exit code of the problems.
 */
export async function importServers(drafts: readonly ServerDraft[], options: ImportOptions): Promise<ExitCode> {
  for (const draft of drafts) printMessage(draftText(draft));
  requireInteractive(options);
  const probeOptions = probeOptionsFor(options);
  const { proposals, problems } = await previewAll(drafts, options, probeOptions);
  // If no server works, the command fails. Otherwise it reports the failed ones and goes on with the others.
  if (proposals.length === 0) throw new ProblemError(problems);
  printProblems(problems, options.output);
  for (const proposal of proposals) printMessage(serverProposalText(proposal));
  const names = proposals.map(({ draft }) => draft.name).join(', ');
  const question = `Add ${names} to ${options.settings.registry} and pin ${proposals.some(({ others }) => others.length > 0) ? 'all of this' : 'these tools'}?`;
  if (!(await confirm(question, options))) {
    printMessage('nothing was written');
    return EXIT.refused;
  }
  const added: ServerProposal[] = [];
  for (const proposal of proposals) {
    try {
      await addServer(proposal, options.settings, probeOptions);
      added.push(proposal);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      printProblems(error.problems, options.output);
      problems.push(...error.problems);
    }
  }
  printData({ added: added.map(serverProposalJson) }, options.output, () => added.map(addedText).join('\n'));
  if (added.length > 0 && options.output === 'text') printMessage(nextText(added));
  return problems.length === 0 ? EXIT.yes : exitCodeOf(new ProblemError(problems));
}

function probeOptionsFor({ settings, signal }: ImportOptions): ProbeOptions {
  const baseOptions = coreOptions(signal);
  // The broker would warn about tools without a pin, and these are about to be pinned.
  const port = onboardingPort(settings, { ...baseOptions, log: { ...baseOptions.log, warn: () => {} } });
  return { port, env: baseOptions.env, signal };
}

async function previewAll(
  drafts: readonly ServerDraft[],
  { settings, skipBroken }: ImportOptions,
  probeOptions: ProbeOptions,
): Promise<{ readonly proposals: readonly ServerProposal[]; readonly problems: Problem[] }> {
  const problems: Problem[] = [];
  const previews = await Promise.all(
    drafts.map(async (draft) => {
      try {
        return rejectBroken(await previewServer(draft, settings, probeOptions), skipBroken);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        problems.push(...error.problems);
        return undefined;
      }
    }),
  );
  return { proposals: previews.filter((each) => each !== undefined), problems };
}

/** Rejects a server with tools that are not admitted, unless `skipBroken`. @throws ProblemError with one per tool. */
function rejectBroken(proposal: ServerProposal, skipBroken: boolean): ServerProposal {
  const { draft, quarantined } = proposal;
  if (skipBroken || quarantined.length === 0) return proposal;
  const hint = 'report it to the author; or add `--skip-broken` to add the server with this tool blocked';
  throw new ProblemError(
    quarantined.map(({ tool, reason }) => ({
      code: 'registry-tool-broken',
      at: draft.source,
      message: `the tool \`${tool}\` of \`${draft.name}\` is not admitted: ${reason}`,
      hint,
    })),
  );
}

function addedText({ draft, tools, others }: ServerProposal): string {
  const more = others.length === 0 ? '' : ` and ${pluralize(others.length, 'other definition')}`;
  return `added ${draft.name}: ${pluralize(tools.length, 'tool')}${more} pinned`;
}

function nextText(added: readonly ServerProposal[]): string {
  const exports = exportsText(added.map(({ draft }) => draft));
  const [first] = added;
  const tool = first?.tools[0]?.tool ?? '<tool>';
  return [
    ...(exports === '' ? [] : ['Export these where you start the broker:', exports]),
    'Review the proposed risks in the new file. No agent may call these tools yet. To grant one, add to policies/policy.csv:',
    `  p, agent:<name>, tool:${first?.draft.name ?? '<server>'}/${tool}, call, , allow`,
  ].join('\n');
}
