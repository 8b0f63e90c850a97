import type { HttpServer } from '../../ingress/http-server.ts';
import type { ServerDiscovery } from '../../registry/catalog.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import type { BrokerCore } from '../compose.ts';

/** Servers and agents of a daemon, for the person who started it. */
export interface DaemonSummary {
  readonly url?: string;
  readonly revision: string;
  readonly servers: readonly {
    readonly name: string;
    readonly state: string;
    readonly tools: number;
    readonly blocked: number;
  }[];
  readonly agents: readonly { readonly id: string; readonly tools: readonly string[] }[];
  readonly firstKey?: { readonly agent: string; readonly key: string };
}

/** Summarizes the active snapshot. */
export function summarize(
  core: BrokerCore,
  {
    firstKey,
    http,
  }: {
    readonly firstKey: { readonly agent: string; readonly key: string } | undefined;
    readonly http: HttpServer | undefined;
  },
): DaemonSummary {
  const { catalog, registry, rules } = core.snapshots;
  const host = http?.host.includes(':') ? `[${http.host}]` : http?.host;
  return {
    ...(http ? { url: `http://${host}:${http.port}/mcp` } : {}),
    revision: rules.revision,
    servers: [...registry.servers.keys()].map((name) => {
      const tools = catalog.tools.filter(({ server }) => server === name);
      const active = tools.filter(({ status }) => status === 'active').length;
      return { name, state: catalog.servers.get(name) ?? 'not-started', tools: active, blocked: tools.length - active };
    }),
    agents: [...registry.agents.keys()].map((name) => ({ id: `agent:${name}`, tools: core.toolsOf(name) })),
    ...(firstKey ? { firstKey } : {}),
  };
}

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
