import type { ServerDiscovery } from '../../registry/catalog.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import type { BrokerCore } from '../compose.ts';

/** How one server is doing, from what it last listed and from how its calls went. */
export interface ServerHealth {
  /** `failed`: it cannot be asked, or nothing is sent to it for now; `starting`: nothing is known of it yet. */
  readonly state: 'ready' | 'failed' | 'starting';
  readonly error?: string;
  /** Calendar time in milliseconds since when it fails. */
  readonly sinceMs?: number;
}

/** Names of servers by state, each state that some server has. No reason is in it: an error may name what is not public. */
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

/** A server's health; `upstream` is none where no session of it was ever wanted. */
export function serverHealth(discovered: ServerDiscovery, upstream: UpstreamStatus | undefined): ServerHealth {
  if (discovered.status === 'failed') return failed(discovered.error, discovered.sinceMs);
  const isUnavailable = upstream !== undefined && (upstream.breaker !== 'closed' || upstream.state === 'backing-off');
  if (isUnavailable) return failed(upstream.error ?? 'it failed repeatedly', upstream.failingSinceMs);
  return { state: discovered.status === 'listed' ? 'ready' : 'starting' };
}

function failed(error: string, sinceMs: number | undefined): ServerHealth {
  return { state: 'failed', error, ...(sinceMs === undefined ? {} : { sinceMs }) };
}
