import type { Catalog, ListedServer } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { isSameServer, type ServerSettings } from '../../registry/servers/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import type { DiscoveredFeatures } from '../../upstream/session/upstream-server.ts';
import type { UpstreamPool } from '../../upstream/upstream-pool.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Servers that are listed at one time. */
const MAX_CONCURRENT = 4;
const TICK_MS = 500;
/** Time until a server that failed to list is tried again. */
const FAILED_RETRY_MS = 10_000;

/** Lists the features of servers on a schedule, so that drift is found before a call finds it. */
export class DiscoveryScheduler {
  readonly #deps: {
    readonly snapshots: SnapshotStore;
    readonly upstreams: UpstreamPool;
    readonly log: Log;
    readonly nowMs: () => number;
  };
  readonly #startedAtMs = new Map<string, number>();
  readonly #inFlight = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: {
    readonly snapshots: SnapshotStore;
    readonly upstreams: UpstreamPool;
    readonly log: Log;
    readonly nowMs: () => number;
  }) {
    this.#deps = deps;
  }

  /** Discovers every server now, and each again whenever its `refresh` time is over. */
  start(): void {
    this.#discoverDue();
    this.#timer = setInterval(() => this.#discoverDue(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Discovers one server, or joins the discovery in progress. */
  discover(server: string): Promise<void> {
    const inFlight = this.#inFlight.get(server);
    if (inFlight) return inFlight;
    this.#startedAtMs.set(server, this.#deps.nowMs());
    const discovery = this.#discover(server).finally(() => this.#inFlight.delete(server));
    this.#inFlight.set(server, discovery);
    return discovery;
  }

  /** Discovers every server of the registry. */
  async discoverAll(): Promise<void> {
    const names = [...this.#deps.snapshots.registry.servers.keys()];
    await Promise.all(
      Array.from({ length: MAX_CONCURRENT }, async () => {
        for (let name = names.shift(); name !== undefined; name = names.shift()) await this.discover(name);
      }),
    );
  }

  #discoverDue(): void {
    for (const server of this.#deps.snapshots.registry.servers.values()) {
      if (this.#isDue(server) && this.#hasCapacity(server.name)) void this.discover(server.name);
    }
  }

  /** Failed servers have slots of their own: those that hang must not delay the lists of the others. */
  #hasCapacity(server: string): boolean {
    const { snapshots } = this.#deps;
    const isFailed = (name: string): boolean => snapshots.discoveredOf(name).status === 'failed';
    const peers = [...this.#inFlight.keys()].filter((name) => isFailed(name) === isFailed(server));
    return peers.length < MAX_CONCURRENT;
  }

  #isDue({ name, transport, refreshMs }: ServerSettings): boolean {
    const startedAtMs = this.#startedAtMs.get(name);
    const { status } = this.#deps.snapshots.discoveredOf(name);
    // A server whose settings changed has no list, even if it was discovered under its old settings.
    if (startedAtMs === undefined || status === 'not-started') return true;
    const sinceMs = this.#deps.nowMs() - startedAtMs;
    if (status === 'failed') return sinceMs >= FAILED_RETRY_MS;
    // A child process notifies of changes and is listed at every start; another discovery would only start it.
    return transport.type !== 'stdio' && sinceMs >= refreshMs;
  }

  async #discover(server: string): Promise<void> {
    const { snapshots, upstreams, log } = this.#deps;
    const declared = snapshots.registry.servers.get(server);
    const features = await upstreams.discover(server);
    const now = snapshots.registry.servers.get(server);
    if (now === undefined) return;
    // A list or an error of the old settings does not apply to the new ones.
    if (now !== declared && ('error' in features || !isSameServer(declared, now))) return this.#discover(server);
    if ('error' in features) log.warn('server.unavailable', { server, error: features.error });
    await snapshots.recordDiscovery(
      server,
      'error' in features ? { status: 'failed', error: features.error } : toListedServer(features),
    );
  }
}

/** Features of a server in the form that the registry reads. */
export function toListedServer({ tools, prompts, resources, templates, unlisted }: DiscoveredFeatures): ListedServer {
  return { status: 'listed', tools, prompts, resources, templates, unlisted };
}

/** Servers with neither a pin nor a list. A `tools/list` that is answered now would lack their tools. */
export function undiscoveredServers(registry: Registry, catalog: Catalog): readonly string[] {
  const pinnedServers = new Set(catalog.states.map(({ server }) => server));
  return [...registry.servers.keys()].filter(
    (name) => catalog.servers.get(name) === 'not-started' && !pinnedServers.has(name),
  );
}
