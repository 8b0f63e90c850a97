import { homedir } from 'node:os';
import { ProblemError } from '../../domain/problem.ts';
import {
  connectHosts,
  type HostSelection,
  planConnections,
  planDiff,
  undoConnections,
} from '../../onboarding/connect/connect-hosts.ts';
import {
  directConnections,
  hostStatuses,
  managedPolicies,
  printedEntries,
} from '../../onboarding/connect/host-status.ts';
import { requiredVariables, resolveConnection } from '../../onboarding/connect/resolve-connection.ts';
import { HOST_IDS, type HostId, type Machine, parseHostId } from '../../onboarding/hosts/known-hosts.ts';
import { ownCommand, shimCommand } from '../daemon/shim-command.ts';
import {
  connectedText,
  directConnectionText,
  hostStatusText,
  managedText,
  printedText,
  undoneText,
} from '../format/host-status.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { printData, printMessage, printProblems } from '../framework/output.ts';

export const connect: CommandDefinition = defineCommand({
  path: 'connect',
  summary: 'add the broker to the config files of agent hosts',
  description: `Adds one entry for this broker to the config file of an agent host, the program that an agent runs in. Comments,
    order and the other servers of the file stay as they are. The old file is kept as a backup next to it, and --undo
    restores it byte for byte. A second run changes nothing.

    Without a host the command lists the existing config files with their servers, and changes nothing.

    By default the entry starts \`seneschal stdio\` for one agent, which is authenticated by the operating-system user and
    needs no key. With --http the entry has the url of the broker and a reference to the key: the environment variable
    \`SENESCHAL_KEY\`, or an input of VS Code. A key is never written into a file.`,
  arguments: [{ name: 'host', description: `one of ${HOST_IDS.join(', ')}`, optional: true, repeatable: true }],
  flags: [
    {
      name: 'agent',
      value: 'agent',
      description: 'the agent that the host connects as; required if the registry declares several',
    },
    {
      name: 'server',
      value: 'server',
      description: 'show the host only this server or virtual server (default: everything the agent may use)',
    },
    {
      name: 'scope',
      value: 'scope',
      description: 'the config file of the user, or of this project',
      choices: ['user', 'project'],
      default: 'user',
    },
    {
      name: 'http',
      description: 'connect over HTTP to a running broker; the host reads the key from `SENESCHAL_KEY` or an input',
    },
    {
      name: 'url',
      value: 'url',
      description: 'url of the broker; implies `--http` (default: built from --host and --port)',
    },
    {
      name: 'replace-servers',
      description: 'remove the other servers from the file, so that agents reach them only through the broker',
    },
    { name: 'keep-servers', description: 'keep the other servers in the file; this is the default' },
    { name: 'dry-run', description: 'show the changes as a unified diff without secrets, and write nothing' },
    { name: 'print', description: 'print a config file with only this entry, and write nothing' },
    {
      name: 'managed',
      description: 'print the settings by which an organisation allows only the broker, and write nothing',
    },
    { name: 'undo', description: 'restore the file from before the last run' },
    { name: 'force', description: 'with --undo: restore it even if it was edited since' },
  ],
  settings: ['registry', 'policies', 'data', 'port', 'host'],
  exitCodes: {
    yes: 'every host is connected, or the output was printed',
    failed: 'a file cannot be written, or another program changed it at the same time',
    usage: 'a host, flag or file is invalid; no file was changed',
  },
  examples: [
    { title: 'List the agent hosts, and which of them are connected to the broker', line: 'seneschal connect' },
    { title: 'Preview the change to the config of Cursor', line: 'seneschal connect cursor --agent demo --dry-run' },
    {
      title: 'Connect Claude Code in this project to the broker and to no other server',
      line: 'seneschal connect claude-code --agent demo --scope project --replace-servers',
    },
    {
      title: 'Print the entry of VS Code for a broker on another machine',
      line: 'seneschal connect vscode --url https://tools.example.com/mcp --print',
    },
  ],
  run: ({ args: { host }, flags, settings, output }) => {
    const machine = currentMachine();
    rejectConflictingFlags(flags);
    if (host.length === 0) {
      const { statuses, problems } = hostStatuses(machine);
      printProblems(problems, output);
      printData(statuses, output, hostStatusText);
      return EXIT.yes;
    }
    const selection: HostSelection = { hosts: parseHostIds(host), scope: flags.scope, machine };
    if (flags.undo) {
      printData(undoConnections(selection, { force: flags.force }), output, undoneText);
      return EXIT.yes;
    }
    const broker = settings();
    const connection = resolveConnection(flags, broker, (options) => shimCommand(options, ownCommand(), broker));
    if (flags.print) printData(printedEntries(selection, connection), output, printedText);
    else if (flags.managed) printData(managedPolicies(selection, connection.endpoint), output, managedText);
    else {
      const plans = planConnections(selection, { ...connection, replaceServers: flags['replace-servers'] });
      if (flags['dry-run']) {
        const diffs = plans.map((plan) => ({
          host: plan.location.host,
          file: plan.location.file,
          diff: planDiff(plan),
        }));
        printData(diffs, output, () =>
          diffs
            .map(({ diff }) => diff)
            .join('')
            .trimEnd(),
        );
        return EXIT.yes;
      }
      const results = connectHosts(plans);
      printData(results, output, connectedText);
      if (output === 'text') {
        for (const directConnection of directConnections(selection))
          printMessage(directConnectionText(directConnection));
        if (connection.endpoint.type === 'stdio') printRequiredVariables(requiredVariables(broker.registry));
      }
    }
    return EXIT.yes;
  },
});

/** Warns that a broker which an agent host starts may lack these variables: hosts pass on little of their environment. */
function printRequiredVariables(names: readonly string[]): void {
  if (names.length === 0) return;
  printMessage(
    `the tool servers need ${names.join(', ')}: run \`seneschal serve\` in a shell where ${names.length === 1 ? 'it is' : 'they are'} set`,
  );
}

function currentMachine(): Machine {
  return { userHome: homedir(), platform: process.platform, env: process.env, project: process.cwd() };
}

function parseHostIds(names: readonly string[]): readonly HostId[] {
  const hosts = [...new Set(names)].map(parseHostId);
  const problems = hosts.filter((host) => typeof host !== 'string');
  if (problems.length > 0) throw new ProblemError(problems);
  return hosts.filter((host) => typeof host === 'string');
}

/** Rejects two flags that exclude each other, because one of them would be ignored. */
function rejectConflictingFlags(flags: Readonly<Record<string, unknown>>): void {
  const exclusiveFlags = [
    ['dry-run', 'print', 'managed', 'undo'],
    ['replace-servers', 'keep-servers'],
  ];
  for (const names of exclusiveFlags) {
    const [one, other] = names.filter((name) => flags[name] === true);
    if (one === undefined || other === undefined) continue;
    const message = `\`--${one}\` and \`--${other}\` exclude each other`;
    throw new ProblemError([{ code: 'settings-invalid', at: `--${other}`, message, hint: 'remove one of the two' }]);
  }
  if (flags.force !== true || flags.undo === true) return;
  const message = '`--force` is only for `--undo`';
  throw new ProblemError([{ code: 'settings-invalid', at: '--force', message, hint: 'remove `--force`' }]);
}
