import { buildCatalog, type ObservedServer } from '../registry/catalog.ts';
import { SILENT_LOG } from '../telemetry/log.ts';
import { memoryEraMemory } from '../upstream/era.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { admitTool } from '../validation/tool-schemas.ts';
import type { RulesOnFile } from './policy-questions.ts';
import { type RegistryView, registryView } from './registry-view.ts';
import { homeOf, type Settings } from './settings.ts';
import { systemClock } from './system.ts';
import { upstreamServers } from './upstream-servers.ts';

/** How many servers are started at one time. */
const AT_ONCE = 4;

/**
 * Starts every server, asks what it offers, and ends it again, without a broker: nothing is pinned, remembered or
 * recorded. Never rejects for anything that a server does; an abort is thrown when every server has been ended.
 */
export async function probeServers(
  { registry, pins }: Pick<RulesOnFile, 'registry' | 'pins'>,
  around: {
    readonly settings: Settings;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly version: string;
    readonly signal: AbortSignal;
  },
): Promise<RegistryView> {
  const { settings, env, version, signal } = around;
  const surroundings = { registryDir: settings.registry, home: homeOf(settings), env, log: SILENT_LOG };
  const pool = new UpstreamPool(upstreamServers(registry, surroundings), {
    ...{ clock: systemClock, log: SILENT_LOG, eraMemory: memoryEraMemory(), environment: env },
    clientInfo: { name: 'seneschal', version },
    onToolsChanged: () => {},
  });
  // What is under way ends with its process.
  const abort = (): void => void pool.close();
  signal.addEventListener('abort', abort, { once: true });
  const observed = new Map<string, ObservedServer>();
  const names = [...registry.servers.keys()];
  try {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let name = names.shift(); name !== undefined; name = names.shift()) {
          const seen = await pool.observe(name);
          observed.set(
            name,
            'error' in seen ? { status: 'failed', error: seen.error } : { status: 'listed', tools: seen.tools },
          );
        }
      }),
    );
    signal.throwIfAborted();
    const catalog = buildCatalog({ registry, lock: pins.lock, pins: pins.auto, observed, admit: admitTool });
    const observedOf = (name: string): ObservedServer => observed.get(name) ?? { status: 'not-started' };
    return registryView({ registry, catalog, upstreams: pool.status(), observedOf });
  } finally {
    signal.removeEventListener('abort', abort);
    await pool.close();
  }
}
