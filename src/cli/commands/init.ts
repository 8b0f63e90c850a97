import { userInfo } from 'node:os';
import { type HomePlan, planHome } from '../../app/adopt/plan-home.ts';
import { takenPlaces, type WrittenHome, writeHome } from '../../app/adopt/write-home.ts';
import type { Settings } from '../../app/settings.ts';
import { ProblemError } from '../../domain/problem.ts';
import { POLICY_TEMPLATES, type PolicyTemplate } from '../../policy/templates/first-policy.ts';
import { YES_FLAG } from '../adoption-flags.ts';
import { isAgreed, requireSomebody } from '../agreement.ts';
import { askChoice, canAsk } from '../ask.ts';
import { coreOptions } from '../core-options.ts';
import { counted } from '../counted.ts';
import { type CommandDeclaration, defineCommand } from '../declaration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { sourcesOf } from '../init-sources.ts';
import { InterruptedError, interruptible } from '../interruption.ts';
import { type OutputFormat, printData, say, sayProblems } from '../output.ts';
import { fileCount, homeJson, nextCommands, plannedText } from '../shown-home.ts';
import { draftText, proposalText } from '../shown-servers.ts';
import { VERSION } from '../version.ts';

const TEMPLATES = ['personal', 'team', 'ci'] as const;

interface Wishes {
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

export const init: CommandDeclaration = defineCommand({
  path: 'init',
  summary: 'make a home from the tool servers that you have already',
  does: `Reads the tool servers of config files (mcpServers of Claude, Cursor or Cline, servers of VS Code, server.json),
    starts each once, and writes a registry with their pinned tools, policies that grant the least, limits, an agent, and
    policy tests, which are run before anything is in its place. Secrets that stand in those files become references and
    are not copied; what has to be exported is said at the end. A server that cannot be asked is told of and left out.

    The risk of each tool is a proposal, made of its name and its annotations: look at it in registry/servers/.

    Everything is written as a whole or not at all, and nothing that is there is overwritten; --force moves it aside.
    With --dry-run the servers are started all the same, for without their tools there is nothing to show.`,
  flags: [
    { name: 'from', value: 'file', what: 'a file to read servers from', repeatable: true },
    { name: 'discover', what: 'read the config files of the agents on this machine' },
    {
      name: 'template',
      value: 'name',
      choices: TEMPLATES,
      what: TEMPLATES.map((name) => `${name}: ${POLICY_TEMPLATES[name].what}`).join('; '),
    },
    { name: 'agent', value: 'name', what: 'name of the first agent', default: 'me' },
    { name: 'owner', value: 'person', what: 'who answers for the agent; without it the user of the system' },
    {
      name: 'allow',
      value: 'server/tool',
      repeatable: true,
      what: 'a tool that the template ci names; without it every tool that only looks',
    },
    YES_FLAG,
    { name: 'dry-run', what: 'show the files and write none' },
    { name: 'force', what: 'move a registry and policies that are there aside' },
  ],
  settings: ['registry', 'policies', 'data'],
  exits: {
    yes: 'the home is written and its policy tests pass, or the files were shown',
    failed: 'no server could be asked, or a disk, a socket or another process failed; nothing was written',
    usage: 'what was typed or a file is wrong, there is a home already, or nobody could be asked; nothing was written',
    refused: 'the person said no; nothing was written',
  },
  examples: [
    {
      wish: 'Make a home of the servers of a project',
      line: 'seneschal init --from .mcp.json --owner ana@example.org --yes',
      within: 'project',
    },
    {
      wish: 'See what a home for a team would be, of all servers that agents have on this machine',
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
      if (error instanceof InterruptedError) say('interrupted; nothing was written');
      throw error;
    }),
});

async function makeHome(wishes: Wishes, settings: Settings, signal: AbortSignal): Promise<ExitCode> {
  refuseEarly(wishes, settings);
  const found = await sourcesOf(wishes, settings, { signal });
  sayProblems(found.problems.map(asWarning), wishes.output);
  for (const draft of found.drafts) say(draftText(draft));
  if (!wishes.dryRun && !(await isAgreed('Start each of them once and ask for its tools?', { ...wishes, signal }))) {
    return refused();
  }
  const template = wishes.template ?? (await chosenTemplate(wishes, signal));
  const named = wishes.allow.map((tool) => (tool.startsWith('tool:') ? tool : `tool:${tool}`));
  const plan = await planHome({ ...wishes, template, named, drafts: found.drafts }, settings, {
    ...{ env: process.env, version: VERSION, signal },
  });
  sayProblems(plan.leftOut.map(asWarning), wishes.output);
  for (const proposal of plan.proposals) say(proposalText(proposal));
  if (wishes.dryRun) {
    printData(homeJson(plan, settings, { withTexts: true }), wishes.output, () => plannedText(plan, settings));
    return EXIT.yes;
  }
  const question = `Write these ${fileCount(plan)} files into ${settings.registry} and ${settings.policies}?`;
  if (!(await isAgreed(question, { ...wishes, signal }))) return refused();
  const quiet = coreOptions(signal);
  const options = { ...quiet, log: { ...quiet.log, warn: () => {} }, force: wishes.force };
  const written = await writeHome(plan, settings, options);
  tellWritten({ plan, written, wishes, settings });
  return EXIT.yes;
}

/** What can be told without starting anything is told before anything is started. */
function refuseEarly(wishes: Wishes, settings: Settings): void {
  const name = {
    code: 'settings-invalid',
    at: '--agent',
    hint: 'write words of a to z and 0 to 9 joined by `-`',
  } as const;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(wishes.agent) || wishes.agent.length > 63)
    throw new ProblemError([{ ...name, message: 'this is no name of an agent' }]);
  const taken = takenPlaces(settings);
  if (wishes.dryRun) return;
  if (taken.length > 0 && !wishes.force) throw new ProblemError(taken);
  requireSomebody(wishes);
}

async function chosenTemplate({ yes, dryRun }: Wishes, signal: AbortSignal): Promise<PolicyTemplate> {
  if (yes || dryRun || !canAsk()) return 'personal';
  for (const name of TEMPLATES) say(`  ${name}: ${POLICY_TEMPLATES[name].what}`);
  const answer = await askChoice('Which template of policies?', TEMPLATES, { signal });
  return TEMPLATES.find((name) => name === answer) ?? 'personal';
}

function tellWritten(done: {
  readonly plan: HomePlan;
  readonly written: WrittenHome;
  readonly wishes: Wishes;
  readonly settings: Settings;
}): void {
  const { plan, written, wishes, settings } = done;
  sayProblems(written.warnings, wishes.output);
  for (const dir of written.movedAside) say(`moved what was there to ${dir}`);
  printData({ ...homeJson(plan, settings, { withTexts: false }), checked: written.checked }, wishes.output, () =>
    [
      `wrote ${settings.registry} and ${settings.policies}: ${counted(plan.proposals.length, 'server')}, ${counted(fileCount(plan), 'file')}`,
      `${counted(written.checked, 'policy test')} passed`,
    ].join('\n'),
  );
  if (wishes.output === 'text') say(nextCommands(plan, wishes.agent));
}

function refused(): ExitCode {
  say('nothing was written');
  return EXIT.refused;
}

function asWarning<T extends object>(problem: T): T & { readonly severity: 'warning' } {
  return { ...problem, severity: 'warning' };
}
