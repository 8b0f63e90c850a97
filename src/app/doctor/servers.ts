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

/** Every server starts and answers, and its tools are the ones that were agreed to. */
export const serversCheck: Check = {
  name: 'servers',
  run: async (environment) => {
    if (!environment.files) return NO_FINDINGS;
    const { registry } = environment.files;
    const view = await discoverRegistry(environment, environment.files);
    // Why these do not start is said by the check of secrets.
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
  const message = `the server \`${name}\` cannot be asked: ${error ?? 'no reason was given'}`;
  const hint = 'mend its `command` or `url` there, then ask it with `seneschal registry list`';
  return [{ code: 'doctor-server-failed', at, message, hint }];
}

const MAX_NAMES = 5;

/** Tools, prompts and resource templates of one server that stand alike. */
interface BlockedTools {
  readonly server: string;
  readonly status: string;
  readonly reason: string;
  readonly names: string[];
}

/** One finding for all tools of a server that stand alike. */
function blockedTools(
  { tools }: RegistryView,
  { registry, pinned }: Pick<PolicyFiles, 'registry' | 'pinned'>,
): readonly Problem[] {
  const groups = new Map<string, BlockedTools>();
  for (const { id, status, reason = '' } of tools) {
    // What was never admitted and never agreed to is missed by nobody; `registry list` shows it.
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
    message: `${names.length} of the ${nouns} of \`${server}\` cannot be called, being ${status}${because}: ${shown.join(', ')}${more}`,
    hint: (HINTS[status] ?? 'run `seneschal registry list`').replaceAll('SERVER', server),
    // What was agreed to and is otherwise now is an alarm; what nobody has agreed to yet is not.
    severity: status === 'drifted' || status === 'pin-corrupt' ? 'error' : 'warning',
  };
}

const HINTS: Readonly<Record<string, string>> = {
  unpinned: 'look at them with `seneschal registry diff SERVER`, then agree with `seneschal registry pin SERVER`',
  drifted:
    'look at what changed with `seneschal registry diff SERVER`, then agree with `seneschal registry pin SERVER`',
  'pin-corrupt': 'see who changed `registry.lock`, then look with `seneschal registry diff SERVER`',
  quarantined: 'mend the tool server; `seneschal registry list` names the reason of each tool',
  missing: 'take them out of the lock with `seneschal registry pin SERVER`, or mend the tool server',
};

function settingsProblems({ servers: seen, findings }: RegistryView, registry: Registry): readonly Problem[] {
  const failed = new Set(seen.filter(({ status }) => status === 'failed').map(({ name }) => name));
  return findings
    .filter(({ server }) => !failed.has(server))
    .map(({ server, message, at, hint }) => ({
      code: 'doctor-server-settings',
      at: at ?? registry.locationOf(server, ['tools']),
      message,
      hint: hint ?? 'mend the file; `seneschal registry list` shows what the server has',
      severity: 'warning',
    }));
}
