import type { FeatureKind } from '../domain/target.ts';
import type { Catalog, ServerDiscovery } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import type { ServerWarning } from '../registry/server-finding.ts';
import type { UpstreamStatus } from '../upstream/upstream-server.ts';
import { serverHealth } from './server-health.ts';

/** Every server and tool as it stands, for people and programs. */
export type RegistryView = {
  readonly servers: readonly ServerView[];
  readonly tools: readonly {
    /** Of a tool, prompt or resource template: `tool:<server>/<tool>`, `prompt:…` or `resource:…`. */
    readonly id: string;
    readonly status: string;
    readonly risk: string;
    readonly costNanoUsd: number;
    readonly reason?: string;
  }[];
  readonly virtual: readonly VirtualView[];
  readonly findings: readonly ServerWarning[];
};

/** One virtual server, with how much it shows to agents that may use everything. */
type VirtualView = {
  readonly name: string;
  readonly path: string;
  readonly tools: number;
  readonly prompts: number;
  readonly resources: number;
  readonly templates: number;
};

/** One server as it is doing. */
type ServerView = {
  readonly name: string;
  readonly transport: string;
  /** `failed`: it cannot list its tools, or nothing is sent to it for now. */
  readonly status: string;
  readonly error?: string;
  /** Calendar time since when it fails. */
  readonly since?: string;
  readonly era?: string;
  readonly protocolVersion?: string;
} & Partial<Counts>;

type Counts = Pick<UpstreamStatus, 'breaker' | 'sessions' | 'starts' | 'failures' | 'activeCalls' | 'droppedMessages'>;

/** The view of a registry, of what its servers were seen to offer, and of the catalog that this makes. */
export function registryView(sources: {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly upstreams: readonly UpstreamStatus[];
  discoveredOf(server: string): ServerDiscovery;
}): RegistryView {
  const { registry, catalog, upstreams } = sources;
  return {
    servers: [...registry.servers.values()].map(({ name, transport }) => {
      const upstream = upstreams.find((status) => status.name === name);
      return { name, transport: transport.type, ...serverState(sources.discoveredOf(name), upstream) };
    }),
    tools: catalog.states.map(({ kind, server, tool, id, status, reason }) => {
      const settings = registry.servers.get(server);
      const configured = kind === 'tool' ? settings?.tools.get(tool) : undefined;
      const { risk, costNanoUsd } = configured ?? settings?.unlisted ?? { risk: 'destructive', costNanoUsd: 0 };
      return { id, status, risk, costNanoUsd, ...(reason === undefined ? {} : { reason }) };
    }),
    virtual: [...registry.virtual.keys()].map((name) => virtualServerView(catalog, name)),
    findings: catalog.findings.map((finding) => ({ ...finding })),
  };
}

function virtualServerView({ viewOf }: Catalog, name: string): VirtualView {
  const features = viewOf(`virtual:${name}`)?.features;
  const count = (kind: FeatureKind): number => features?.[kind].length ?? 0;
  return {
    ...{ name, path: `/v/${name}/mcp`, tools: count('tool'), prompts: count('prompt') },
    ...{ resources: count('resource'), templates: count('template') },
  };
}

function serverState(
  observed: ServerDiscovery,
  upstream: UpstreamStatus | undefined,
): Omit<ServerView, 'name' | 'transport'> {
  const { state, error, sinceMs } = serverHealth(observed, upstream);
  return {
    status: state === 'failed' ? 'failed' : observed.status,
    ...(error === undefined ? {} : { error }),
    ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
    ...(upstream?.era === undefined ? {} : { era: upstream.era }),
    ...(upstream?.protocolVersion === undefined ? {} : { protocolVersion: upstream.protocolVersion }),
    ...(upstream === undefined ? {} : upstreamCounts(upstream)),
  };
}

function upstreamCounts({ breaker, sessions, starts, failures, activeCalls, droppedMessages }: UpstreamStatus): Counts {
  return { breaker, sessions, starts, failures, activeCalls, droppedMessages };
}
