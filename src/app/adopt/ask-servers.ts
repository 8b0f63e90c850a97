import type { JsonObject } from '../../lib/json.ts';
import type { Registry } from '../../registry/load.ts';
import { SILENT_LOG } from '../../telemetry/log.ts';
import { memoryEraMemory } from '../../upstream/era.ts';
import { UpstreamPool } from '../../upstream/upstream-pool.ts';
import { systemClock } from '../system.ts';
import { upstreamServers } from '../upstream-servers.ts';
import type { ServerDraft } from './draft.ts';
import { safeLastLine } from './safe-line.ts';

/** What one server said when it was asked once. */
export type Answered =
  | { readonly draft: ServerDraft; readonly tools: readonly JsonObject[] }
  | {
      readonly draft: ServerDraft;
      readonly error: string;
      /** The last line of its stderr, without secrets. */
      readonly lastLine?: string;
    };

export interface Asking {
  /** Holds a server for each draft. */
  readonly registry: Registry;
  readonly registryDir: string;
  /** What relative working directories start from. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Ends every server and process when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Starts each server once, all at the same time, asks for its tools and ends it. Each has its own `startTimeout`. A
 * server that fails is an answer; nothing here rejects for one. @throws the signal's reason when it is aborted.
 */
export async function askServers(drafts: readonly ServerDraft[], asking: Asking): Promise<readonly Answered[]> {
  const env = { ...asking.env };
  for (const { secrets } of drafts) for (const [name, secret] of secrets) env[name] = secret.reveal();
  const { registry, registryDir, home } = asking;
  const pool = new UpstreamPool(upstreamServers(registry, { registryDir, home, env, log: SILENT_LOG }), {
    clock: systemClock,
    log: SILENT_LOG,
    eraMemory: memoryEraMemory(),
    clientInfo: { name: 'seneschal', version: asking.version },
    environment: env,
    onToolsChanged: () => {},
  });
  let closing: Promise<void> | undefined;
  const end = (): Promise<void> => {
    closing ??= pool.close();
    return closing;
  };
  const onAbort = (): void => void end();
  asking.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answers = await Promise.all(
      drafts.map(async (draft): Promise<Answered> => {
        const seen = await pool.observe(draft.name);
        if (!('error' in seen)) return { draft, tools: seen.tools };
        const lastLine = safeLastLine(pool.stderrTail(draft.name), draft, env);
        return { draft, error: seen.error, ...(lastLine === undefined ? {} : { lastLine }) };
      }),
    );
    asking.signal.throwIfAborted();
    return answers;
  } finally {
    asking.signal.removeEventListener('abort', onAbort);
    // Processes have groups of their own, and no Ctrl-C of a terminal reaches them.
    await end();
  }
}
