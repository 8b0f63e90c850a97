import { parseAgentName } from '../../domain/principal.ts';
import { assumedTarget, parseObjectId } from '../../policy/conditions/condition.ts';
import type { PolicyContext } from '../../policy/lint/check.ts';
import type { SuiteContext } from '../../policy/suite.ts';
import type { Registry } from '../../registry/load.ts';
import type { Pins } from '../../registry/pins/pin.ts';
import { pinnedId, readPinKey } from '../../registry/pins/pinned-kind.ts';

/** Facts of the registry for policy commands, without a running server. */
export type RegistryFacts = PolicyContext & Pick<SuiteContext, 'principalOf' | 'targetOf'>;

/** Facts of a registry: its agents, servers, and the tools that it configures or pins. */
export function registryFacts(registry: Registry, pins: readonly Pins[]): RegistryFacts {
  const tools = new Set<string>();
  for (const [server, settings] of registry.servers) {
    for (const tool of settings.tools.keys()) tools.add(`tool:${server}/${tool}`);
    for (const each of pins)
      for (const key of each.get(server)?.keys() ?? []) tools.add(pinnedId(server, readPinKey(key)));
  }
  return {
    agents: [...registry.agents.keys()].map((name) => `agent:${name}`),
    tools: [...tools],
    servers: [...registry.servers.keys()],
    principalOf(agent) {
      const declared = registry.agents.get(parseAgentName(agent));
      if (!declared) return undefined;
      const { owner, team, costCenter, environment } = declared;
      return {
        owner,
        // Policy commands assume an agent over HTTP, which authenticates with a key.
        proof: 'api-key',
        ...(team === undefined ? {} : { team }),
        ...(costCenter === undefined ? {} : { costCenter }),
        ...(environment === undefined ? {} : { environment }),
      };
    },
    targetOf(object) {
      const { server, name } = parseObjectId(object);
      const settings = registry.servers.get(server);
      if (!settings) return undefined;
      const configured = object.startsWith('tool:') ? settings.tools.get(name) : undefined;
      return assumedTarget(object, configured ?? settings.unlisted);
    },
  };
}
