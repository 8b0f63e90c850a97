import type { ObservedServer } from '../registry/catalog.ts';
import type { UpstreamStatus } from '../upstream/upstream-server.ts';
import type { BrokerCore } from './compose.ts';

/** How one server is doing, from what it last listed and from how its calls went. */
export interface ServerHealth {
  /** `failed`: it cannot be asked, or nothing is sent to it for now; `starting`: nothing is known of it yet. */
  readonly state: 'ready' | 'failed' | 'starting';
  readonly error?: string;
  /** Calendar time in milliseconds since when it fails. */
  readonly sinceMs?: number;
}

type Parts = Pick<BrokerCore, 'standing' | 'upstreams'>;

/** Every server of the registry with its health, in the order of the registry. */
export function serverHealth({ standing, upstreams }: Parts): ReadonlyMap<string, ServerHealth> {
  const statuses = new Map(upstreams.status().map((status) => [status.name, status]));
  return new Map(
    Array.from(standing.registry.servers.keys(), (name) => [
      name,
      healthOf(standing.observedOf(name), statuses.get(name)),
    ]),
  );
}

/** Names of servers by state, each state that some server has. No reason is in it: an error may name what is not public. */
export function serversByState(parts: Parts): Readonly<Record<string, readonly string[]>> {
  const byState: Record<string, string[]> = {};
  for (const [name, { state }] of serverHealth(parts)) byState[state] = [...(byState[state] ?? []), name];
  return byState;
}

function healthOf(seen: ObservedServer, upstream: UpstreamStatus | undefined): ServerHealth {
  if (seen.status === 'failed') return failed(seen.error, seen.sinceMs);
  const isShut = upstream !== undefined && (upstream.breaker !== 'closed' || upstream.state === 'backing-off');
  if (isShut) return failed(upstream.error ?? 'it failed repeatedly', upstream.failingSinceMs);
  return { state: seen.status === 'listed' ? 'ready' : 'starting' };
}

function failed(error: string, sinceMs: number | undefined): ServerHealth {
  return { state: 'failed', error, ...(sinceMs === undefined ? {} : { sinceMs }) };
}
