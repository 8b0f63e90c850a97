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
  summary: 'create a registry and policies from tool servers you have',
  description: `Reads the tool servers of config files (mcpServers of Claude, Cursor or Cline, servers of VS Code, server.json),
    starts each server once to list its tools, and writes a home: a registry with the pinned tools, a policy with the
    fewest grants that are useful, limits, one agent, and policy tests, which must pass before the home is in place.
    Secrets in the config files are not copied. The registry refers to environment variables instead, and the output
    ends with those to export. A server that fails to start is reported and left out.

    The risk of each tool is a proposal from its name and annotations. Review it in registry/servers/.

    The home is written completely or not at all. An existing one is never overwritten: --force moves it aside.
    --dry-run writes nothing, but starts the servers, because the policy depends on their tools.`,
  flags: [
    { name: 'from', value: 'file', description: 'a config file to read servers from', repeatable: true },
    { name: 'discover', description: 'read the config files of the agent hosts on this machine' },
    {
      name: 'template',
      value: 'name',
      choices: TEMPLATES,
      description: TEMPLATES.map((name) => `${name}: ${POLICY_TEMPLATES[name].what}`).join('; '),
    },
    { name: 'agent', value: 'name', description: 'name of the first agent', default: 'me' },
    {
      name: 'owner',
      value: 'person',
      description: 'the person responsible for the agent (default: the name of the system user)',
    },
    {
      name: 'allow',
      value: 'server/tool',
      repeatable: true,
      description: 'with the template ci: a tool to grant (default: every tool with the risk read)',
    },
    YES_FLAG,
    { name: 'dry-run', description: 'show the files and write nothing' },
    { name: 'force', description: 'move an existing registry and existing policies aside' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the home is written and its policy tests pass, or the files were shown',
    failed: 'no server works, or a disk, a socket or another process failed; nothing was written',
    usage:
      'a flag or file is invalid, a home exists already, or there is no terminal to confirm on; nothing was written',
    refused: 'the user declined; nothing was written',
  },
  examples: [
    {
      title: 'Create a home from the servers of a project',
      line: 'seneschal init --from .mcp.json --owner ana@example.org --yes',
      within: 'project',
    },
    {
      title: 'Preview a home for a team, with all servers that agent hosts have on this machine',
      line: 'seneschal init --discover --template team --dry-run',
      within: 'project',
    },
  ],
  run: ({ flags, settings, output }) =>
    interruptible((signal) => {
      const { 'dry-run': dryRun, owner = userInfo().username, template, ...rest } = flags;
      return makeHome({ ...rest, template, owner, dryRun, output }, settings(), signal);
    }).catch((error: unknown) => {
      // Safe to say, because a home is written completely or not at all.
      if (error instanceof InterruptedError) printMessage('interrupted; nothing was written');
      throw error;
    }),
});

async function makeHome(options: InitOptions, settings: Settings, signal: AbortSignal): Promise<ExitCode> {
  validateOptions(options, settings);
  const search = await chooseDrafts(options, settings, { signal });
  printProblems(search.problems.map(asWarning), options.output);
  for (const draft of search.drafts) printMessage(draftText(draft));
  if (!options.dryRun && !(await confirm('Start each of them once to list its tools?', { ...options, signal }))) {
    return declined();
  }
  const template = options.template ?? (await chooseTemplate(options, signal));
  const allowedTools = options.allow.map((tool) => (tool.startsWith('tool:') ? tool : `tool:${tool}`));
  const baseOptions = coreOptions(signal);
  // The broker would warn about the new policy, which has no edits yet.
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

/** Reports everything that is wrong without starting a server. */
function validateOptions(options: InitOptions, settings: Settings): void {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(options.agent) || options.agent.length > 63) {
    const message = `\`${options.agent}\` is not a valid agent name`;
    const hint = 'use at most 63 letters a to z, digits, and single `-` between them, such as `ci-bot`';
    throw new ProblemError([{ code: 'settings-invalid', at: '--agent', message, hint }]);
  }
  const existing = existingDirectories(settings);
  if (options.dryRun) return;
  if (existing.length > 0 && !options.force) throw new ProblemError(existing);
  requireInteractive(options);
}

async function chooseTemplate({ yes, dryRun }: InitOptions, signal: AbortSignal): Promise<PolicyTemplate> {
  if (yes || dryRun || !canPrompt()) return 'personal';
  for (const name of TEMPLATES) printMessage(`  ${name}: ${POLICY_TEMPLATES[name].what}`);
  const answer = await promptChoice('Which policy template?', TEMPLATES, { signal });
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
  for (const dir of written.movedAside) printMessage(`moved the existing directory to ${dir}`);
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
 * The servers for the home: those of the named files and, by flag or by a yes on a terminal, those of the agent hosts on
 * this machine.
 * @throws ProblemError if there is none.
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
      (await promptYesNo('Read the tool servers of Claude, Cursor, Cline and VS Code on this machine?', { signal })));
  if (from.length === 0 && !shouldDiscover) throw new ProblemError([noSource()]);
  const search = findDrafts({ files: from, discover: shouldDiscover }, context);
  for (const file of search.configFiles) printMessage(`read ${file}`);
  if (search.drafts.length > 0) return search;
  throw new ProblemError([...search.problems, noServerFound(from)]);
}

function noSource(): ProblemError['problems'][number] {
  const hint =
    'name a config file as in `--from .mcp.json`, or add `--discover` to read those of the agent hosts on this machine';
  return { code: 'init-nothing-found', at: '--from', message: 'no config file to read servers from', hint };
}

function noServerFound(from: readonly string[]): ProblemError['problems'][number] {
  const hint = 'name a file with the key `mcpServers` or `servers`, or a server.json, with `--from`';
  return { code: 'init-nothing-found', at: from.join(', '), message: 'no tool server was found', hint };
}
