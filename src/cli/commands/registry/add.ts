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
  summary: 'add a tool server: review its tools, agree, pin them',
  description: `Shows the command, starts the server once, shows its tools with a proposed risk for each, and asks for a yes.
    Then it writes the server's file into the registry and pins exactly the tools that were shown, through the running
    broker if there is one. Nothing is written before the yes, and a failed step leaves nothing behind.

    A server is an npm package, a url, or a server.json. A package runs with an exact version: the one that is given,
    else the one that is installed here, else the latest in the npm registry. Adding a server grants nothing: no agent
    may call its tools until policy.csv has a grant.`,
  arguments: [
    {
      name: 'server',
      description: '`npm:<package>`, a url such as `https://example.org/mcp`, or the path of a server.json',
    },
    { name: 'args', description: 'arguments of the package, after `--`', optional: true, repeatable: true },
  ],
  flags: [
    { name: 'name', value: 'name', description: 'its name in the registry (default: derived from the package or url)' },
    {
      name: 'env',
      value: 'name=value',
      description: `a variable for the process; write a secret as a reference, \`$\{env:NAME}\``,
      repeatable: true,
    },
    {
      name: 'header',
      value: 'name=value',
      description: `a header for each request; write a secret as a reference, \`$\{env:NAME}\``,
      repeatable: true,
    },
    SKIP_BROKEN_FLAG,
    YES_FLAG,
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the server is in the registry and its tools are pinned',
    failed: 'the server does not work, or a disk, a socket or another process failed; nothing was written',
    usage: 'an argument is invalid, the name is taken, or there is no terminal to confirm on; nothing was written',
    refused: 'the user declined; nothing was written',
  },
  examples: [
    {
      title: 'Add an npm package',
      line: 'seneschal registry add npm:@modelcontextprotocol/server-memory --name notes --yes',
    },
    {
      title: 'Add a server over HTTP with a token from an environment variable',
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
              args: args.args ?? [],
              env: flags.env,
              headers: flags.header,
              ...(flags.name === undefined ? {} : { name: flags.name }),
            },
            { dir: homeOf(activeSettings), signal },
          )
        : draftInFile(args.server, { name: flags.name, home: homeOf(activeSettings) });
      const { yes, 'skip-broken': skipBroken } = flags;
      return importServers([draft], { settings: activeSettings, yes, skipBroken, output, signal });
    }),
});

/** The only server of a file. @throws ProblemError if the file has none or several. */
function draftInFile(file: string, { name, home }: { name: string | undefined; home: string }): ServerDraft {
  const { drafts, problems } = draftsInFile(file, { env: process.env, home });
  const [draft] = drafts;
  if (draft === undefined) throw new ProblemError(problems);
  if (drafts.length === 1) return { ...draft, name: name ?? draft.name };
  const message = `the file has ${drafts.length} servers, and \`registry add\` adds one`;
  const hint = `run \`seneschal registry import ${file}\` for all of them, or with \`--only <name>\` for some`;
  throw new ProblemError([{ code: 'settings-invalid', at: file, message, hint }]);
}
