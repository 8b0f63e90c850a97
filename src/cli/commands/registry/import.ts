import { homeOf } from '../../../app/settings.ts';
import { ProblemError } from '../../../domain/problem.ts';
import { draftsInFile } from '../../../onboarding/import/draft-from-config.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { SKIP_BROKEN_FLAG, YES_FLAG } from '../../framework/flags.ts';
import { interruptible } from '../../framework/interruptible.ts';
import { printProblems } from '../../framework/output.ts';
import { importServers } from './import-servers.ts';

export const registryImport: CommandDefinition = defineCommand({
  path: 'registry import',
  summary: 'add the tool servers of a config file of an agent host',
  description: `Reads the servers of a config file (mcpServers of Claude, Cursor or Cline, servers of VS Code) and adds them as
    \`seneschal registry add\` does: shows the commands, starts each server once, shows the tools, and asks for a yes.
    Secrets in the file are not copied. The registry refers to environment variables instead, and the output ends with
    those to export. The file itself is not changed. A server that fails to start is reported and left out; the others
    are added.`,
  arguments: [{ name: 'file', description: 'the config file, such as `.mcp.json`' }],
  flags: [
    { name: 'only', value: 'name', description: 'add only this server of the file', repeatable: true },
    SKIP_BROKEN_FLAG,
    YES_FLAG,
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'every server is in the registry and its tools are pinned',
    failed: 'a server does not work, or a disk, a socket or another process failed',
    usage: 'an argument or a file is invalid, a name is taken, or there is no terminal to confirm on',
    refused: 'the user declined; nothing was written',
  },
  examples: [
    {
      title: 'Add the servers of a config file',
      line: 'seneschal registry import servers.json --yes',
    },
  ],
  run: ({ args, flags, settings, output }) =>
    interruptible(async (signal) => {
      const activeSettings = settings();
      const { drafts, problems } = draftsInFile(args.file, { env: process.env, home: homeOf(activeSettings) });
      const selected = flags.only.length === 0 ? drafts : drafts.filter(({ name }) => flags.only.includes(name));
      const missing = flags.only.filter((name) => !drafts.some((draft) => draft.name === name));
      if (missing.length > 0)
        throw new ProblemError([
          unknownName(
            missing,
            drafts.map(({ name }) => name),
          ),
        ]);
      if (selected.length === 0) throw new ProblemError(problems);
      printProblems(problems, output);
      const { yes, 'skip-broken': skipBroken } = flags;
      return importServers(selected, { settings: activeSettings, yes, skipBroken, output, signal });
    }),
});

function unknownName(missing: readonly string[], known: readonly string[]): ProblemError['problems'][number] {
  const message = `the file has no server \`${missing.join('`, `')}\``;
  return { code: 'settings-invalid', at: '--only', message, hint: `write one of ${known.join(', ')}` };
}
