import type { ServerDiscovery } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { SILENT_LOG } from '../../telemetry/log.ts';
import { inMemoryVersionStore } from '../../upstream/protocol/versions.ts';
import { UpstreamPool } from '../../upstream/upstream-pool.ts';
import type { UpstreamStatus } from '../../upstream/upstream-status.ts';
import { systemClock, systemIds } from '../system.ts';
import { toListedServer } from './discovery-scheduler.ts';
import { upstreamServers } from './upstream-servers.ts';

/** How many servers are started at one time. */
const MAX_CONCURRENT = 4;

export interface DiscoveryOptions {
  readonly registryDir: string;
  /** What relative working directories start from. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Ends every server and process when it is aborted. */
  readonly signal: AbortSignal;
}

/** What servers said when each was asked once. */
export interface DiscoveryResult {
  /** What each offers, or why it cannot tell. */
  readonly discovered: ReadonlyMap<string, ServerDiscovery>;
  readonly statuses: readonly UpstreamStatus[];
  /** What the failed process of each wrote last to stderr. May hold secrets: never show it as it is. */
  readonly stderrTails: ReadonlyMap<string, string>;
}

/**
 * Starts every server of a registry once, asks what it offers, and ends it again, without a broker: nothing is pinned,
 * remembered or recorded. Each has its own `startTimeout`. A server that fails is an answer; nothing here rejects for
 * one. @throws the signal's reason when it is aborted, after every server has been ended.
 */
export async function discoverServers(registry: Registry, options: DiscoveryOptions): Promise<DiscoveryResult> {
  const { registryDir, home, env, version, signal } = options;
  const pool = new UpstreamPool(upstreamServers(registry, { registryDir, home, env, log: SILENT_LOG }), {
    ...{
      clock: systemClock,
      ids: systemIds(),
      log: SILENT_LOG,
      versionStore: inMemoryVersionStore(),
      environment: env,
    },
    clientInfo: { name: 'seneschal', version },
    onFeaturesChanged: () => {},
    onResourceUpdated: () => {},
  });
  let closing: Promise<void> | undefined;
  const closePool = (): Promise<void> => {
    closing ??= pool.close();
    return closing;
  };
  // Processes have groups of their own, and no Ctrl-C of a terminal reaches them.
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
