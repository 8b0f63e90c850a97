import type { ObservedServer } from '../registry/catalog.ts';
import type { Registry } from '../registry/load.ts';
import { SILENT_LOG } from '../telemetry/log.ts';
import { memoryEraMemory } from '../upstream/era.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import type { UpstreamStatus } from '../upstream/upstream-server.ts';
import { listedServer } from './observer.ts';
import { systemClock, systemIds } from './system.ts';
import { upstreamServers } from './upstream-servers.ts';

/** How many servers are started at one time. */
const AT_ONCE = 4;

export interface Asking {
  readonly registryDir: string;
  /** What relative working directories start from. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Ends every server and process when it is aborted. */
  readonly signal: AbortSignal;
}

/** What servers said when each was asked once. */
export interface AskedServers {
  /** What each offers, or why it cannot tell. */
  readonly observed: ReadonlyMap<string, ObservedServer>;
  readonly statuses: readonly UpstreamStatus[];
  /** What the failed process of each wrote last to stderr. May hold secrets: never show it as it is. */
  readonly stderrTails: ReadonlyMap<string, string>;
}

/**
 * Starts every server of a registry once, asks what it offers, and ends it again, without a broker: nothing is pinned,
 * remembered or recorded. Each has its own `startTimeout`. A server that fails is an answer; nothing here rejects for
 * one. @throws the signal's reason when it is aborted, after every server has been ended.
 */
export async function askServers(registry: Registry, asking: Asking): Promise<AskedServers> {
  const { registryDir, home, env, version, signal } = asking;
  const pool = new UpstreamPool(upstreamServers(registry, { registryDir, home, env, log: SILENT_LOG }), {
    ...{ clock: systemClock, ids: systemIds(), log: SILENT_LOG, eraMemory: memoryEraMemory(), environment: env },
    clientInfo: { name: 'seneschal', version },
    onToolsChanged: () => {},
    onResourceUpdated: () => {},
  });
  let closing: Promise<void> | undefined;
  const end = (): Promise<void> => {
    closing ??= pool.close();
    return closing;
  };
  // Processes have groups of their own, and no Ctrl-C of a terminal reaches them.
  const onAbort = (): void => void end();
  signal.addEventListener('abort', onAbort, { once: true });
  const observed = new Map<string, ObservedServer>();
  const names = [...registry.servers.keys()];
  const askRest = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) observed.set(name, await ask(pool, name));
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, askRest));
    signal.throwIfAborted();
    const stderrTails = new Map([...observed.keys()].map((name) => [name, pool.stderrTail(name)]));
    return { observed, statuses: pool.status(), stderrTails };
  } finally {
    signal.removeEventListener('abort', onAbort);
    await end();
  }
}

async function ask(pool: UpstreamPool, server: string): Promise<ObservedServer> {
  const seen = await pool.observe(server);
  return 'error' in seen ? { status: 'failed', error: seen.error } : listedServer(seen);
}
