import { PRIMARY_ACTION } from '../../domain/call.ts';
import { parseAgentId } from '../../domain/principal.ts';
import type { Problem } from '../../domain/problem.ts';
import { explain } from '../../policy/explain.ts';
import { findUnpinnedReferences, pinnedIds } from '../../registry/virtual-servers/pinned-names.ts';
import type { VirtualServer } from '../../registry/virtual-servers/settings.ts';
import type { Settings } from '../settings.ts';
import { accessRequestFor, type PolicyFiles, policyWarnings, readPolicyFiles } from './policy.ts';

/** Warnings of the policy files and the virtual servers. @throws ProblemError with every error. */
export function checkFiles(settings: Settings): readonly Problem[] {
  const files = readPolicyFiles(settings);
  return [...policyWarnings(files, settings), ...unknownMembers(files), ...ungrantedViews(files)];
}

/**
 * Warnings for virtual servers that name an unknown server or a feature without a pin. Starts no server: features beyond
 * the pins are known only to a running broker.
 */
export function unknownMembers({ registry, pinned }: PolicyFiles): Problem[] {
  const ids = [...pinned];
  const hasPins = (name: string): boolean => ids.some((id) => id.slice(id.indexOf(':') + 1).startsWith(`${name}/`));
  const servers = [...registry.servers.values()].filter(({ name, pin }) => pin === 'lock' || hasPins(name));
  const agreements = { pinned: ids, servers: servers.map(({ name }) => name) };
  return [
    ...registry.warnings.filter(({ code }) => code === 'registry-original-unknown'),
    ...[...registry.virtual.values()].flatMap((server) =>
      findUnpinnedReferences(server, agreements).map(
        (finding): Problem => ({ code: 'registry-original-unknown', ...finding, severity: 'warning' }),
      ),
    ),
  ];
}

/** Warnings for virtual servers of which no declared agent may use anything. One with resources cannot be decided. */
export function ungrantedViews(files: PolicyFiles): Problem[] {
  // An empty policy has one warning of its own, not one for each virtual server.
  if (files.rules.policySet.rows.length === 0) return [];
  return [...files.registry.virtual.values()].flatMap((server) => {
    const members = pinnedIds(server, [...files.pinned]);
    const isOpen = members.length === 0 || server.settings.resources.include.length > 0;
    return isOpen || members.some((id) => isGranted(id, files)) ? [] : [ungranted(server)];
  });
}

function isGranted(object: string, { rules, known }: PolicyFiles): boolean {
  const action = PRIMARY_ACTION[object.startsWith('prompt:') ? 'prompt' : 'tool'];
  return known.agents.some((agent) => {
    const principal = known.principalOf(agent);
    if (principal === undefined) return false;
    const about = { principal, agent: parseAgentId(agent), object, action };
    return explain(rules.policySet, accessRequestFor(rules, known, about)).effect !== 'deny';
  });
}

function ungranted({ settings: { name }, at }: VirtualServer): Problem {
  return {
    code: 'registry-view-ungranted',
    at: at(['name']),
    message: `no agent may use anything of the virtual server \`${name}\``,
    hint: 'grant some of its tools in `policy.csv`: a virtual server grants nothing by itself',
    severity: 'warning',
  };
}
