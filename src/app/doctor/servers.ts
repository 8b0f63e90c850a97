import type { Problem } from '../../domain/problem.ts';
import { sendAdminRequest } from '../../ingress/socket/connect.ts';
import { parseObjectId } from '../../policy/conditions/condition.ts';
import { buildCatalog, type ServerDiscovery } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { admitTool } from '../../validation/input.ts';
import { type RegistryView, registryView } from '../admin/registry.ts';
import type { PolicyFiles } from '../queries/policy.ts';
import { daemonSocketPath } from '../runtime/daemon-socket.ts';
import { discoverServers } from '../runtime/discover-servers.ts';
import { homeOf } from '../settings.ts';
import { type Check, type Environment, NO_FINDINGS } from './check.ts';

/** Checks that every server starts and lists its tools, and that the tools equal their pins. */
export const serversCheck: Check = {
  name: 'servers',
  run: async (environment) => {
    if (!environment.files) return NO_FINDINGS;
    const { registry } = environment.files;
    const view = await discoverRegistry(environment, environment.files);
    // The secrets check reports why these do not start.
    const serversWithSecretProblems = new Set(
      environment.secrets.filter(({ problem }) => problem.severity !== 'warning').map(({ server }) => server),
    );
    return {
      findings: [
        ...view.servers
          .filter(({ name }) => !serversWithSecretProblems.has(name))
          .flatMap((server) => serverFailures(server, registry)),
        ...blockedTools(view, environment.files),
        ...settingsProblems(view, registry),
      ],
      facts: { asked: view.servers.map((server) => ({ ...server, tools: activeTools(view, server.name) })) },
    };
  },
};

async function discoverRegistry(
  { daemon, settings, env, version, signal }: Environment,
  files: PolicyFiles,
): Promise<RegistryView> {
  // `as`: the daemon is our own program, and `registryView` made it.
  if (daemon)
    return (await sendAdminRequest(daemonSocketPath(settings), 'registry.status', {})) as unknown as RegistryView;
  const { registry, pins } = files;
  const options = { registryDir: settings.registry, home: homeOf(settings), env, version, signal };
  const { discovered, statuses } = await discoverServers(registry, options);
  const catalog = buildCatalog({ registry, lock: pins.lock, pins: pins.auto, discovered, admit: admitTool });
  const discoveredOf = (name: string): ServerDiscovery => discovered.get(name) ?? { status: 'not-started' };
  return registryView({ registry, catalog, upstreams: statuses, discoveredOf });
}

function activeTools({ tools }: RegistryView, server: string): number {
  return tools.filter(({ id, status }) => status === 'active' && id.startsWith(`tool:${server}/`)).length;
}

function serverFailures(
  { name, status, error }: RegistryView['servers'][number],
  registry: Registry,
): readonly Problem[] {
  if (status !== 'failed') return [];
  const at = registry.locationOf(name, ['transport']);
  const message = `the server \`${name}\` cannot list its tools: ${error ?? 'no reason was given'}`;
  const hint = 'fix its `command` or `url` in this file, then run `seneschal registry list`';
  return [{ code: 'doctor-server-failed', at, message, hint }];
}

const MAX_NAMES = 5;

/** Tools, prompts and resource templates of one server with the same status. */
interface BlockedTools {
  readonly server: string;
  readonly status: string;
  readonly reason: string;
  readonly names: string[];
}

/** One finding for all tools of a server with the same status. */
function blockedTools(
  { tools }: RegistryView,
  { registry, pinned }: Pick<PolicyFiles, 'registry' | 'pinned'>,
): readonly Problem[] {
  const groups = new Map<string, BlockedTools>();
  for (const { id, status, reason = '' } of tools) {
    // A quarantined tool that was never pinned is not missed; `registry list` shows it.
    if (status === 'active' || (status === 'quarantined' && !pinned.has(id))) continue;
    const { server, name } = parseObjectId(id);
    const blocked = groups.get(`${server} ${status}`) ?? { server, status, reason, names: [] };
    blocked.names.push(id.startsWith('tool:') ? name : id);
    groups.set(`${server} ${status}`, blocked);
  }
  return [...groups.values()].map((blocked) => blockedProblem(blocked, registry));
}

function blockedProblem({ server, status, reason, names }: BlockedTools, registry: Registry): Problem {
  const shown = names.slice(0, MAX_NAMES).map((name) => `\`${name}\``);
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  // No tool has a `:` in its name; the ids of prompts and templates have.
  const nouns = names.some((name) => name.includes(':')) ? 'tools, prompts and templates' : 'tools';
  const because = status === 'quarantined' ? ` (${reason})` : '';
  return {
    code: 'doctor-tool-blocked',
    at: registry.locationOf(server, ['name']),
    message: `${names.length} of the ${nouns} of \`${server}\` are ${status} and cannot be called${because}: ${shown.join(', ')}${more}`,
    hint: (HINTS[status] ?? 'run `seneschal registry list`').replaceAll('SERVER', server),
    // A departure from a pin is an error; a tool that is not pinned yet is not.
    severity: status === 'drifted' || status === 'pin-corrupt' ? 'error' : 'warning',
  };
}

const HINTS: Readonly<Record<string, string>> = {
  unpinned: 'review them with `seneschal registry diff SERVER`, then pin them with `seneschal registry pin SERVER`',
  drifted:
    'review the changes with `seneschal registry diff SERVER`, then pin them with `seneschal registry pin SERVER`',
  'pin-corrupt': 'find out who changed `registry.lock`, then run `seneschal registry diff SERVER`',
  quarantined: 'fix the tool server; `seneschal registry list` prints the reason of each tool',
  missing: 'remove their pins with `seneschal registry pin SERVER`, or fix the tool server',
};

function settingsProblems({ servers: seen, findings }: RegistryView, registry: Registry): readonly Problem[] {
  const failed = new Set(seen.filter(({ status }) => status === 'failed').map(({ name }) => name));
  return findings
    .filter(({ server }) => !failed.has(server))
    .map(({ server, message, at, hint }) => ({
      code: 'doctor-server-settings',
      at: at ?? registry.locationOf(server, ['tools']),
      message,
      hint: hint ?? 'fix the file; `seneschal registry list` prints the tools of the server',
      severity: 'warning',
    }));
}
