import { userInfo } from 'node:os';
import { onboardingPort } from '../../app/onboarding-port.ts';
import { homeOf, type Settings } from '../../app/settings.ts';
import { ProblemError } from '../../domain/problem.ts';
import { type DraftSearch, findDrafts } from '../../onboarding/import/draft-from-config.ts';
import { type HomePlan, planHome } from '../../onboarding/import/plan-home.ts';
import { existingDirectories, type WrittenHome, writeHome } from '../../onboarding/import/write-home.ts';
import { POLICY_TEMPLATES, type PolicyTemplate } from '../../policy/templates/starter-policy.ts';
import { coreOptions } from '../daemon/admin-request.ts';
import { fileCount, homeJson, homePlanText, nextCommands } from '../format/home-plan.ts';
import { draftText, serverProposalText } from '../format/server-proposal.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT, type ExitCode } from '../framework/exit-codes.ts';
import { YES_FLAG } from '../framework/flags.ts';
import { InterruptedError, interruptible } from '../framework/interruptible.ts';
import { type OutputFormat, pluralize, printData, printMessage, printProblems } from '../framework/output.ts';
import { canPrompt, confirm, promptChoice, promptYesNo, requireInteractive } from '../framework/prompt.ts';

const TEMPLATES = ['personal', 'team', 'ci'] as const;

interface InitOptions {
  readonly from: readonly string[];
  readonly discover: boolean;
  readonly template: PolicyTemplate | undefined;
  readonly agent: string;
  readonly owner: string;
  readonly allow: readonly string[];
  readonly yes: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly output: OutputFormat;
}

export const init: CommandDefinition = defineCommand({
  path: 'init',
  summary: 'make a home from the tool servers that you have already',
  description: `Reads the tool servers of config files (mcpServers of Claude, Cursor or Cline, servers of VS Code, server.json),
    starts each once, and writes a registry with their pinned tools, policies that grant the least, limits, an agent, and
    policy tests, which are run before anything is in its place. Secrets that stand in those files become references and
    are not copied; what has to be exported is said at the end. A server that cannot be asked is told of and left out.

    The risk of each tool is a proposal, made of its name and its annotations: look at it in registry/servers/.

    Everything is written as a whole or not at all, and nothing that is there is overwritten; --force moves it aside.
    With --dry-run the servers are started all the same, for without their tools there is nothing to show.`,
  flags: [
    { name: 'from', value: 'file', description: 'a file to read servers from', repeatable: true },
    { name: 'discover', description: 'read the config files of the agents on this machine' },
    {
      name: 'template',
      value: 'name',
      choices: TEMPLATES,
      description: TEMPLATES.map((name) => `${name}: ${POLICY_TEMPLATES[name].what}`).join('; '),
    },
    { name: 'agent', value: 'name', description: 'name of the first agent', default: 'me' },
    { name: 'owner', value: 'person', description: 'who answers for the agent; without it the user of the system' },
    {
      name: 'allow',
      value: 'server/tool',
      repeatable: true,
      description: 'a tool that the template ci names; without it every tool that only looks',
    },
    YES_FLAG,
    { name: 'dry-run', description: 'show the files and write none' },
    { name: 'force', description: 'move a registry and policies that are there aside' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the home is written and its policy tests pass, or the files were shown',
    failed: 'no server could be asked, or a disk, a socket or another process failed; nothing was written',
    usage: 'what was typed or a file is wrong, there is a home already, or nobody could be asked; nothing was written',
    refused: 'the person said no; nothing was written',
  },
  examples: [
    {
      title: 'Make a home of the servers of a project',
      line: 'seneschal init --from .mcp.json --owner ana@example.org --yes',
      within: 'project',
    },
    {
      title: 'See what a home for a team would be, of all servers that agents have on this machine',
      line: 'seneschal init --discover --template team --dry-run',
      within: 'project',
    },
  ],
  run: ({ flags, settings, output }) =>
    interruptible((signal) => {
      const { 'dry-run': dryRun, owner = userInfo().username, template, ...rest } = flags;
      return makeHome({ ...rest, template, owner, dryRun, output }, settings(), signal);
    }).catch((error: unknown) => {
      // A home is written as a whole or not at all.
      if (error instanceof InterruptedError) printMessage('interrupted; nothing was written');
      throw error;
    }),
});

async function makeHome(options: InitOptions, settings: Settings, signal: AbortSignal): Promise<ExitCode> {
  validateOptions(options, settings);
  const search = await chooseDrafts(options, settings, { signal });
  printProblems(search.problems.map(asWarning), options.output);
  for (const draft of search.drafts) printMessage(draftText(draft));
  if (!options.dryRun && !(await confirm('Start each of them once and ask for its tools?', { ...options, signal }))) {
    return declined();
  }
  const template = options.template ?? (await chooseTemplate(options, signal));
  const allowedTools = options.allow.map((tool) => (tool.startsWith('tool:') ? tool : `tool:${tool}`));
  const baseOptions = coreOptions(signal);
  // The broker would warn about a policy and limits that nobody has edited yet.
  const port = onboardingPort(settings, { ...baseOptions, log: { ...baseOptions.log, warn: () => {} } });
  const plan = await planHome({ ...options, template, allowedTools, drafts: search.drafts }, settings, {
    port,
    env: baseOptions.env,
    signal,
  });
  printProblems(plan.excluded.map(asWarning), options.output);
  for (const proposal of plan.proposals) printMessage(serverProposalText(proposal));
  if (options.dryRun) {
    printData(homeJson(plan, settings, { withTexts: true }), options.output, () => homePlanText(plan, settings));
    return EXIT.yes;
  }
  const question = `Write these ${fileCount(plan)} files into ${settings.registry} and ${settings.policies}?`;
  if (!(await confirm(question, { ...options, signal }))) return declined();
  const written = await writeHome(plan, settings, { port, force: options.force });
  printWritten({ plan, written, options, settings });
  return EXIT.yes;
}

/** What can be told without starting anything is told before anything is started. */
function validateOptions(options: InitOptions, settings: Settings): void {
  const name = {
    code: 'settings-invalid',
    at: '--agent',
    hint: 'write words of a to z and 0 to 9 joined by `-`',
  } as const;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(options.agent) || options.agent.length > 63)
    throw new ProblemError([{ ...name, message: 'this is no name of an agent' }]);
  const existing = existingDirectories(settings);
  if (options.dryRun) return;
  if (existing.length > 0 && !options.force) throw new ProblemError(existing);
  requireInteractive(options);
}

async function chooseTemplate({ yes, dryRun }: InitOptions, signal: AbortSignal): Promise<PolicyTemplate> {
  if (yes || dryRun || !canPrompt()) return 'personal';
  for (const name of TEMPLATES) printMessage(`  ${name}: ${POLICY_TEMPLATES[name].what}`);
  const answer = await promptChoice('Which template of policies?', TEMPLATES, { signal });
  return TEMPLATES.find((name) => name === answer) ?? 'personal';
}

function printWritten(done: {
  readonly plan: HomePlan;
  readonly written: WrittenHome;
  readonly options: InitOptions;
  readonly settings: Settings;
}): void {
  const { plan, written, options, settings } = done;
  printProblems(written.warnings, options.output);
  for (const dir of written.movedAside) printMessage(`moved what was there to ${dir}`);
  printData({ ...homeJson(plan, settings, { withTexts: false }), checked: written.checked }, options.output, () =>
    [
      `wrote ${settings.registry} and ${settings.policies}: ${pluralize(plan.proposals.length, 'server')}, ${pluralize(fileCount(plan), 'file')}`,
      `${pluralize(written.checked, 'policy test')} passed`,
    ].join('\n'),
  );
  if (options.output === 'text') printMessage(nextCommands(plan, options.agent));
}

function declined(): ExitCode {
  printMessage('nothing was written');
  return EXIT.refused;
}

function asWarning<T extends object>(problem: T): T & { readonly severity: 'warning' } {
  return { ...problem, severity: 'warning' };
}

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
