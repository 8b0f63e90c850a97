import type { ServerDiscovery } from '../../registry/catalog.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import type { BrokerCore } from '../compose.ts';

/** Health of one server, from its last discovery and the results of its calls. */
export interface ServerHealth {
  /** `failed`: it cannot list its features, or its breaker is open; `starting`: it has not been discovered yet. */
  readonly state: 'ready' | 'failed' | 'starting';
  readonly error?: string;
  /** Calendar time of the first failure. */
  readonly sinceMs?: number;
}

/** Names of servers by state, without errors: an error may name what is not public. */
export function serversByState(core: Pick<BrokerCore, 'snapshots' | 'upstreams'>): Readonly<Record<string, string[]>> {
  const { snapshots, upstreams } = core;
  const statuses = new Map(upstreams.status().map((status) => [status.name, status]));
  const byState: Record<string, string[]> = {};
  for (const name of snapshots.registry.servers.keys()) {
    const { state } = serverHealth(snapshots.discoveredOf(name), statuses.get(name));
    byState[state] = [...(byState[state] ?? []), name];
  }
  return byState;
}

/** Health of a server; `upstream` is undefined if it never needed a session. */
export function serverHealth(discovered: ServerDiscovery, upstream: UpstreamStatus | undefined): ServerHealth {
  if (discovered.status === 'failed') return failed(discovered.error, discovered.sinceMs);
  const isUnavailable = upstream !== undefined && (upstream.breaker !== 'closed' || upstream.state === 'backing-off');
  if (isUnavailable) return failed(upstream.error ?? 'the server failed repeatedly', upstream.failingSinceMs);
  return { state: discovered.status === 'listed' ? 'ready' : 'starting' };
}

function failed(error: string, sinceMs: number | undefined): ServerHealth {
  return { state: 'failed', error, ...(sinceMs === undefined ? {} : { sinceMs }) };
}
