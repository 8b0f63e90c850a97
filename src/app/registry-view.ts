import type { Catalog, ObservedServer } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import type { UpstreamStatus } from '../upstream/upstream-server.ts';

/** Every server and tool as it stands, for people and programs. */
export type RegistryView = {
  readonly servers: readonly {
    readonly name: string;
    readonly transport: string;
    readonly status: string;
    readonly error?: string;
    readonly era?: string;
    readonly protocolVersion?: string;
  }[];
  readonly tools: readonly {
    /** `tool:<server>/<tool>`. */
    readonly id: string;
    readonly status: string;
    readonly risk: string;
    readonly costNanoUsd: number;
    readonly reason?: string;
  }[];
  readonly findings: readonly { readonly server: string; readonly message: string }[];
};

/** The view of a registry, of what its servers were seen to offer, and of the catalog that this makes. */
export function registryView(seen: {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly upstreams: readonly UpstreamStatus[];
  observedOf(server: string): ObservedServer;
}): RegistryView {
  const { registry, catalog, upstreams } = seen;
  return {
    servers: [...registry.servers.values()].map(({ name, transport }) => {
      const observed = seen.observedOf(name);
      const upstream = upstreams.find((status) => status.name === name);
      return {
        name,
        transport: transport.type,
        status: observed.status,
        ...(observed.status === 'failed' ? { error: observed.error } : {}),
        ...(upstream?.era === undefined ? {} : { era: upstream.era }),
        ...(upstream?.protocolVersion === undefined ? {} : { protocolVersion: upstream.protocolVersion }),
      };
    }),
    tools: catalog.tools.map(({ server, tool, status, reason }) => {
      const settings = registry.servers.get(server);
      const { risk, costNanoUsd } = settings?.tools.get(tool) ??
        settings?.unlisted ?? { risk: 'destructive', costNanoUsd: 0 };
      const because = reason === undefined ? {} : { reason };
      return { id: `tool:${server}/${tool}`, status, risk, costNanoUsd, ...because };
    }),
    findings: catalog.findings.map(({ server, message }) => ({ server, message })),
  };
}
