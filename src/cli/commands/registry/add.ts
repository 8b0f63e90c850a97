import { homeOf } from '../../../app/settings.ts';
import { ProblemError } from '../../../domain/problem.ts';
import { draftsInFile } from '../../../onboarding/import/draft-from-config.ts';
import { draftFromSpec, isServerSpec } from '../../../onboarding/import/draft-from-spec.ts';
import type { ServerDraft } from '../../../onboarding/import/server-draft.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { SKIP_BROKEN_FLAG, YES_FLAG } from '../../framework/flags.ts';
import { interruptible } from '../../framework/interruptible.ts';
import { importServers } from './import-servers.ts';

export const registryAdd: CommandDefinition = defineCommand({
  path: 'registry add',
  summary: 'add a tool server: look at it once, agree, pin its tools',
  description: `Shows what would be run, starts the server once, shows its tools with the risk that is proposed for each, and
    waits for a yes. Then it writes the server's file into the registry and pins the tools, through the broker where one
    runs. What was pinned is what was shown. Nothing is written before the yes, and nothing stays when a step fails.

    A server is one of npm, a url, or a server.json. A package is always run by an exact version: the one that is named,
    else the one that is installed here, else the one that the registry of npm tells. Adding a server grants nothing: no
    agent may call its tools before a row of policy.csv says so.`,
  arguments: [
    {
      name: 'server',
      description: 'what to add: `npm:<package>`, `https://example.org/mcp`, or the path of a server.json',
    },
    { name: 'args', description: 'arguments of the package, behind `--`', optional: true, repeatable: true },
  ],
  flags: [
    { name: 'name', value: 'name', description: 'its name in the registry; without it one is made of what it is' },
    {
      name: 'env',
      value: 'name=value',
      description: 'a variable that the process gets; a secret is a reference',
      repeatable: true,
    },
    {
      name: 'header',
      value: 'name=value',
      description: 'a header that is sent; a secret is a reference',
      repeatable: true,
    },
    SKIP_BROKEN_FLAG,
    YES_FLAG,
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the server is in the registry and its tools are pinned',
    failed: 'the server could not be asked, or a disk, a socket or another process failed; nothing was written',
    usage: 'what was typed is wrong, the name is taken, or nobody could be asked; nothing was written',
    refused: 'the person said no; nothing was written',
  },
  examples: [
    {
      title: 'Add a server that is started as a process',
      line: 'seneschal registry add npm:@modelcontextprotocol/server-memory --name notes --yes',
    },
    {
      title: 'Add a server over HTTP whose token stands in a variable',
      line: `seneschal registry add https://mcp.example.invalid/mcp --header 'Authorization=Bearer \${env:CRM_TOKEN}' --yes`,
      exit: EXIT.failed,
    },
  ],
  run: ({ args, flags, settings, output }) =>
    interruptible(async (signal) => {
      const activeSettings = settings();
      const draft = isServerSpec(args.server)
        ? await draftFromSpec(
            {
              specification: args.server,
              ...{ args: args.args ?? [], env: flags.env, headers: flags.header },
              ...(flags.name === undefined ? {} : { name: flags.name }),
            },
            { dir: homeOf(activeSettings), signal },
          )
        : draftInFile(args.server, { name: flags.name, home: homeOf(activeSettings) });
      const { yes, 'skip-broken': skipBroken } = flags;
      return importServers([draft], { settings: activeSettings, yes, skipBroken, output, signal });
    }),
});

/** The one server of a file. @throws ProblemError where there is none, or there are several. */
function draftInFile(file: string, { name, home }: { name: string | undefined; home: string }): ServerDraft {
  const { drafts, problems } = draftsInFile(file, { env: process.env, home });
  const [draft] = drafts;
  if (draft === undefined) throw new ProblemError(problems);
  if (drafts.length === 1) return { ...draft, name: name ?? draft.name };
  const message = `the file holds ${drafts.length} servers`;
  const hint = `run \`seneschal registry import ${file}\`, which takes them all or those of \`--only\``;
  throw new ProblemError([{ code: 'settings-invalid', at: file, message, hint }]);
}
