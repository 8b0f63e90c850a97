import type { ServerTarget } from '../domain/target.ts';
import type { Registry } from './load.ts';
import { targetSettings } from './target-of.ts';

const targetsByRegistry = new WeakMap<Registry, Map<string, ServerTarget>>();

/**
 * A server as one that asks: to its question there is no definition and no cost. One that the registry has no more, while
 * a call of it is under way, is one of which nothing good is known.
 */
export function serverTarget(registry: Registry, name: string): ServerTarget {
  let targets = targetsByRegistry.get(registry);
  if (targets === undefined) {
    targets = new Map();
    targetsByRegistry.set(registry, targets);
  }
  let target = targets.get(name);
  if (target === undefined) {
    target = Object.freeze({ kind: 'server', id: `server:${name}`, ...serverRules(registry, name), costNanoUsd: 0 });
    targets.set(name, target);
  }
  return target;
}

function serverRules(
  registry: Registry,
  name: string,
): Pick<ServerTarget, 'server' | 'risk' | 'labels' | 'payloads' | 'payloadMaxBytes'> {
  const server = registry.servers.get(name);
  if (server === undefined) return { server: name, risk: 'destructive', labels: [], payloads: 'digest' };
  const { risk, labels, payloads, payloadMaxBytes } = targetSettings(server);
  return { server: name, risk, labels, payloads, ...(payloadMaxBytes === undefined ? {} : { payloadMaxBytes }) };
}
