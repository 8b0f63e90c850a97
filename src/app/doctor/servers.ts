import type { Problem } from '../../domain/problem.ts';
import { askDaemon } from '../../ingress/socket-client.ts';
import { partsOfObject } from '../../policy/condition-target.ts';
import { buildCatalog, type ObservedServer } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { admitTool } from '../../validation/tool-schemas.ts';
import { askServers } from '../ask-servers.ts';
import { daemonSocketPath } from '../daemon-client.ts';
import type { RulesOnFile } from '../policy-questions.ts';
import { type RegistryView, registryView } from '../registry-view.ts';
import { homeOf } from '../settings.ts';
import { type Check, NOTHING, type SetUp } from './check.ts';

/** Every server starts and answers, and its tools are the ones that were agreed to. */
export const servers: Check = {
  name: 'servers',
  run: async (setUp) => {
    if (!setUp.files) return NOTHING;
    const { registry } = setUp.files;
    const view = await viewOf(setUp, setUp.files);
    // Why these do not start is said by the check of secrets.
    const told = new Set(
      setUp.secrets.filter(({ problem }) => problem.severity !== 'warning').map(({ server }) => server),
    );
    return {
      findings: [
        ...view.servers.filter(({ name }) => !told.has(name)).flatMap((server) => failureOf(server, registry)),
        ...blockedTools(view, setUp.files),
        ...oddities(view, registry),
      ],
      facts: { asked: view.servers.map((server) => ({ ...server, tools: activeTools(view, server.name) })) },
    };
  },
};

async function viewOf({ daemon, settings, env, version, signal }: SetUp, files: RulesOnFile): Promise<RegistryView> {
  // `as`: the daemon is our own program, and `registryView` made it.
  if (daemon) return (await askDaemon(daemonSocketPath(settings), 'registry.status', {})) as unknown as RegistryView;
  const { registry, pins } = files;
  const asking = { registryDir: settings.registry, home: homeOf(settings), env, version, signal };
  const { observed, statuses } = await askServers(registry, asking);
  const catalog = buildCatalog({ registry, lock: pins.lock, pins: pins.auto, observed, admit: admitTool });
  const observedOf = (name: string): ObservedServer => observed.get(name) ?? { status: 'not-started' };
  return registryView({ registry, catalog, upstreams: statuses, observedOf });
}

function activeTools({ tools }: RegistryView, server: string): number {
  return tools.filter(({ id, status }) => status === 'active' && id.startsWith(`tool:${server}/`)).length;
}

function failureOf({ name, status, error }: RegistryView['servers'][number], registry: Registry): readonly Problem[] {
  if (status !== 'failed') return [];
  const at = registry.placeOf(name, ['transport']);
  const message = `the server \`${name}\` cannot be asked: ${error ?? 'no reason was given'}`;
  const hint = 'mend its `command` or `url` there, then ask it with `seneschal registry list`';
  return [{ code: 'doctor-server-failed', at, message, hint }];
}

const NAMED = 5;

/** Tools, prompts and resource templates of one server that stand alike. */
interface Blocked {
  readonly server: string;
  readonly status: string;
  readonly reason: string;
  readonly names: string[];
}

/** One finding for all tools of a server that stand alike. */
function blockedTools(
  { tools }: RegistryView,
  { registry, pinned }: Pick<RulesOnFile, 'registry' | 'pinned'>,
): readonly Problem[] {
  const groups = new Map<string, Blocked>();
  for (const { id, status, reason = '' } of tools) {
    // What was never admitted and never agreed to is missed by nobody; `registry list` shows it.
    if (status === 'active' || (status === 'quarantined' && !pinned.has(id))) continue;
    const { server, name } = partsOfObject(id);
    const group = groups.get(`${server} ${status}`) ?? { server, status, reason, names: [] };
    group.names.push(id.startsWith('tool:') ? name : id);
    groups.set(`${server} ${status}`, group);
  }
  return [...groups.values()].map((blocked) => blockedProblem(blocked, registry));
}

function blockedProblem({ server, status, reason, names }: Blocked, registry: Registry): Problem {
  const shown = names.slice(0, NAMED).map((name) => `\`${name}\``);
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  // No tool has a `:` in its name; the ids of prompts and templates have.
  const nouns = names.some((name) => name.includes(':')) ? 'tools, prompts and templates' : 'tools';
  const because = status === 'quarantined' ? ` (${reason})` : '';
  return {
    code: 'doctor-tool-blocked',
    at: registry.placeOf(server, ['name']),
    message: `${names.length} of the ${nouns} of \`${server}\` cannot be called, being ${status}${because}: ${shown.join(', ')}${more}`,
    hint: (MENDS[status] ?? 'run `seneschal registry list`').replaceAll('SERVER', server),
    // What was agreed to and is otherwise now is an alarm; what nobody has agreed to yet is not.
    severity: status === 'drifted' || status === 'pin-corrupt' ? 'error' : 'warning',
  };
}

const MENDS: Readonly<Record<string, string>> = {
  unpinned: 'look at them with `seneschal registry diff SERVER`, then agree with `seneschal registry pin SERVER`',
  drifted:
    'look at what changed with `seneschal registry diff SERVER`, then agree with `seneschal registry pin SERVER`',
  'pin-corrupt': 'see who changed `registry.lock`, then look with `seneschal registry diff SERVER`',
  quarantined: 'mend the tool server; `seneschal registry list` names the reason of each tool',
  missing: 'take them out of the lock with `seneschal registry pin SERVER`, or mend the tool server',
};

function oddities({ servers: seen, findings }: RegistryView, registry: Registry): readonly Problem[] {
  const failed = new Set(seen.filter(({ status }) => status === 'failed').map(({ name }) => name));
  return findings
    .filter(({ server }) => !failed.has(server))
    .map(({ server, message, at, hint }) => ({
      code: 'doctor-server-settings',
      at: at ?? registry.placeOf(server, ['tools']),
      message,
      hint: hint ?? 'mend the file; `seneschal registry list` shows what the server has',
      severity: 'warning',
    }));
}
