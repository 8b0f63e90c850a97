import { PRIMARY_ACTION } from '../../domain/call.ts';
import { parseAgentId } from '../../domain/principal.ts';
import type { Problem } from '../../domain/problem.ts';
import { explain } from '../../policy/explain.ts';
import { findUnpinnedReferences, pinnedIds } from '../../registry/virtual-servers/pinned-names.ts';
import type { VirtualServer } from '../../registry/virtual-servers/settings.ts';
import type { Settings } from '../settings.ts';
import { accessRequestFor, type PolicyFiles, policyWarnings, readPolicyFiles } from './policy.ts';

/** Warnings of the policy files, and of the virtual servers that they are for. @throws ProblemError with every error. */
export function checkFiles(settings: Settings): readonly Problem[] {
  const files = readPolicyFiles(settings);
  return [...policyWarnings(files, settings), ...unknownMembers(files), ...ungrantedViews(files)];
}

/**
 * Warns of virtual servers that name a server that is not there, or what nobody has agreed to. No server is asked: what
 * each has beyond its pins the broker finds out.
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

/** Warns of virtual servers of which no declared agent may use anything. Where resources are shown too nobody can tell. */
export function ungrantedViews(files: PolicyFiles): Problem[] {
  // That nothing is allowed at all is said once, and not of each virtual server.
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
    message: `no agent may use anything that the virtual server \`${name}\` shows`,
    hint: 'grant some of it in `policy.csv`: a virtual server by itself grants nothing',
    severity: 'warning',
  };
}
