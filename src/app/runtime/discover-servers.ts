import type { ServerDiscovery } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { SILENT_LOG } from '../../telemetry/log.ts';
import { inMemoryVersionStore } from '../../upstream/protocol/versions.ts';
import { UpstreamPool } from '../../upstream/upstream-pool.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import { systemClock, systemIds } from '../system.ts';
import { toListedServer } from './discovery-scheduler.ts';
import { upstreamServers } from './upstream-servers.ts';

/** Servers that are started at one time. */
const MAX_CONCURRENT = 4;

export interface DiscoveryOptions {
  readonly registryDir: string;
  /** Base of relative working directories. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Ends every server and process when it is aborted. */
  readonly signal: AbortSignal;
}

/** Result of one discovery of each server. */
export interface DiscoveryResult {
  /** Features of each server, or why it listed none. */
  readonly discovered: ReadonlyMap<string, ServerDiscovery>;
  readonly statuses: readonly UpstreamStatus[];
  /** Last stderr output of the failed process of each server. May hold secrets: never print it unredacted. */
  readonly stderrTails: ReadonlyMap<string, string>;
}

/**
 * Starts every server of a registry once, lists its features, and ends it, without a broker: nothing is pinned, stored
 * or recorded. Each server has its own `startTimeout`. A failed server is a result, never a rejection.
 * @throws the signal's reason when it is aborted, after every server has been ended.
 */
export async function discoverServers(registry: Registry, options: DiscoveryOptions): Promise<DiscoveryResult> {
  const { registryDir, home, env, version, signal } = options;
  const pool = new UpstreamPool(upstreamServers(registry, { registryDir, home, env, log: SILENT_LOG }), {
    clock: systemClock,
    ids: systemIds(),
    log: SILENT_LOG,
    versionStore: inMemoryVersionStore(),
    environment: env,
    clientInfo: { name: 'seneschal', version },
    onFeaturesChanged: () => {},
    onResourceUpdated: () => {},
  });
  let closing: Promise<void> | undefined;
  const closePool = (): Promise<void> => {
    closing ??= pool.close();
    return closing;
  };
  // Server processes have their own process groups: the Ctrl-C of a terminal does not reach them.
  const onAbort = (): void => void closePool();
  signal.addEventListener('abort', onAbort, { once: true });
  const discovered = new Map<string, ServerDiscovery>();
  const names = [...registry.servers.keys()];
  const discoverNext = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift())
      discovered.set(name, await discoverServer(pool, name));
  };
  try {
    await Promise.all(Array.from({ length: MAX_CONCURRENT }, discoverNext));
    signal.throwIfAborted();
    const stderrTails = new Map([...discovered.keys()].map((name) => [name, pool.stderrTail(name)]));
    return { discovered, statuses: pool.status(), stderrTails };
  } finally {
    signal.removeEventListener('abort', onAbort);
    await closePool();
  }
}

async function discoverServer(pool: UpstreamPool, server: string): Promise<ServerDiscovery> {
  const features = await pool.discover(server);
  return 'error' in features ? { status: 'failed', error: features.error } : toListedServer(features);
}
