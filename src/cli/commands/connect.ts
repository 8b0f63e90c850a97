import { homedir } from 'node:os';
import type { Settings } from '../../app/settings.ts';
import { parseAgentName } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import {
  connectHosts,
  type HostSelection,
  planConnections,
  planDiff,
  undoConnections,
} from '../../onboarding/connect/connect-hosts.ts';
import type { Connection, Endpoint } from '../../onboarding/connect/host-entry.ts';
import {
  directConnections,
  hostStatuses,
  managedPolicies,
  printedEntries,
  requiredVariables,
  resolveAgent,
  serverPath,
} from '../../onboarding/connect/host-status.ts';
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
  summary: 'register the broker in the config of the programs that agents run in',
  description: `Writes the one entry by which an agent host starts or reaches this broker into the config file of that host. Nothing
    else in the file changes: comments, order and the other servers stay. A backup with the old text is left beside the
    file, and --undo puts it back byte for byte. A second run changes nothing.

    Without a host it changes nothing and lists the config files that are there, with their servers.

    Over stdio, the default, the entry starts \`seneschal stdio\` for one agent, and the operating-system user is the proof:
    no key is needed. With --http it holds the url and refers to the key in the way of the host, by \`SENESCHAL_KEY\` in the
    environment or by an input of VS Code. No key is ever written into a file.`,
  arguments: [{ name: 'host', description: `one of ${HOST_IDS.join(', ')}`, optional: true, repeatable: true }],
  flags: [
    {
      name: 'agent',
      value: 'agent',
      description: 'the agent of that host; needed where the registry declares several',
    },
    {
      name: 'server',
      value: 'server',
      description: 'a server or virtual server that is all that the host gets (default: all that the agent may use)',
    },
    {
      name: 'scope',
      value: 'scope',
      description: 'the file of the user, or the one of this project',
      choices: ['user', 'project'],
      default: 'user',
    },
    {
      name: 'http',
      description: 'reach a running broker over HTTP; the host looks the key up, mostly as `SENESCHAL_KEY`',
    },
    {
      name: 'url',
      value: 'url',
      description: 'where the broker is reached over HTTP; says `--http` too (default: made of --host and --port)',
    },
    {
      name: 'replace-servers',
      description: 'take the other servers out of that file: agents reach them through the broker alone',
    },
    { name: 'keep-servers', description: 'leave the other servers where they are; this is the default' },
    { name: 'dry-run', description: 'show what would change as a unified diff, without secrets, and write nothing' },
    { name: 'print', description: 'print the entry as a file of its own, and write nothing' },
    { name: 'managed', description: 'print what lets an organisation allow the broker alone, and write nothing' },
    { name: 'undo', description: 'put back what the last run replaced' },
    { name: 'force', description: 'with --undo: also where the file was changed since' },
  ],
  settings: ['registry', 'policies', 'data', 'port', 'host'],
  exitCodes: {
    yes: 'every host is connected, or what was asked for was printed',
    failed: 'a file cannot be written, or another program changed it meanwhile',
    usage: 'a host, flag or file is wrong; then no file was changed',
  },
  examples: [
    { title: 'See which agent hosts there are and which of them go through the broker', line: 'seneschal connect' },
    { title: 'See what connecting Cursor would change', line: 'seneschal connect cursor --agent demo --dry-run' },
    {
      title: 'Connect Claude Code in this project, and nothing beside the broker',
      line: 'seneschal connect claude-code --agent demo --scope project --replace-servers',
    },
    {
      title: 'Print the entry for VS Code and a broker on another machine',
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
    const connection = connectionOf(flags, settings());
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
        if (connection.endpoint.type === 'stdio') printRequiredVariables(requiredVariables(settings().registry));
      }
    }
    return EXIT.yes;
  },
});

/** A program that agents run in passes little of its environment on, and so a broker that it starts lacks the secrets. */
function printRequiredVariables(names: readonly string[]): void {
  if (names.length === 0) return;
  printMessage(
    `the tool servers need ${names.join(', ')}: run \`seneschal serve\` where ${names.length === 1 ? 'it is' : 'they are'} set`,
  );
}

function currentMachine(): Machine {
  return { home: homedir(), platform: process.platform, env: process.env, project: process.cwd() };
}

function parseHostIds(names: readonly string[]): readonly HostId[] {
  const hosts = [...new Set(names)].map(parseHostId);
  const problems = hosts.filter((host) => typeof host !== 'string');
  if (problems.length > 0) throw new ProblemError(problems);
  return hosts.filter((host) => typeof host === 'string');
}

/** Flags of which each asks for something else, so that two of them would leave one unheard. */
function rejectConflictingFlags(flags: Readonly<Record<string, unknown>>): void {
  const exclusiveFlags = [
    ['dry-run', 'print', 'managed', 'undo'],
    ['replace-servers', 'keep-servers'],
  ];
  for (const names of exclusiveFlags) {
    const [one, other] = names.filter((name) => flags[name] === true);
    if (one === undefined || other === undefined) continue;
    const message = `\`--${one}\` and \`--${other}\` ask for different things`;
    throw new ProblemError([
      { code: 'settings-invalid', at: `--${other}`, message, hint: 'leave one of the two away' },
    ]);
  }
  if (flags.force !== true || flags.undo === true) return;
  const message = '`--force` has a meaning with `--undo` alone';
  throw new ProblemError([{ code: 'settings-invalid', at: '--force', message, hint: 'leave it away' }]);
}

interface ConnectionFlags {
  readonly agent?: string;
  readonly http: boolean;
  readonly url?: string;
  readonly server?: string;
}

/** How a host is to reach the broker, by flags and settings. @throws ProblemError for an agent or a server that is not declared. */
export function connectionOf(flags: ConnectionFlags, settings: Settings): Connection {
  const agentName = flags.agent === undefined ? undefined : parseAgentName(flags.agent);
  if (flags.http || flags.url !== undefined) {
    const { server, url } = flags;
    if (server !== undefined && url !== undefined) throw new ProblemError([CONFLICTING_PATHS]);
    const path = server === undefined ? '/mcp' : serverPath(settings.registry, server);
    // Over HTTP the key says who the agent is, and the broker may be on another machine.
    const endpoint: Endpoint = { type: 'http', url: url === undefined ? urlOf(settings, path) : validateUrl(url) };
    return agentName === undefined ? { endpoint } : { endpoint, agent: agentName };
  }
  const agent = resolveAgent(settings.registry, agentName);
  const { server } = flags;
  if (server !== undefined) serverPath(settings.registry, server);
  return { endpoint: { type: 'stdio', ...shimCommand({ agent, server }, ownCommand(), settings) }, agent };
}

const CONFLICTING_PATHS: Problem = {
  code: 'settings-invalid',
  at: '--server',
  message: '`--url` says which path it is',
  hint: 'write `/v/<name>/mcp` or `/servers/<name>/mcp` at the end of the url, and leave `--server` away',
};

function urlOf({ host, port }: Settings, path: string): string {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  if (isAnywhere || port === 0) {
    const message = `${isAnywhere ? '`--host`' : '`--port`'} does not say where the broker is reached`;
    const hint = 'name the url, such as `--url https://tools.example.com/mcp`';
    throw new ProblemError([{ code: 'settings-invalid', at: '--http', message, hint }]);
  }
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

function validateUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAllowed = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isAllowed) return text;
  const message = 'this is no http url without user and password';
  const hint = 'write for example `https://tools.example.com/mcp`';
  throw new ProblemError([{ code: 'settings-invalid', at: '--url', message, hint }]);
}
