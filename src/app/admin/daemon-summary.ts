import type { HttpServer } from '../../ingress/http-server.ts';
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
