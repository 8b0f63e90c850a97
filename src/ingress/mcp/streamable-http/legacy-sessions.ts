import type { CallContext } from '../../../domain/call.ts';
import type { ViewName } from '../../../domain/target.ts';
import type { Cancellation } from '../../../lib/cancellation.ts';
import type { Ids } from '../../../lib/ids.ts';
import type { Clock } from '../../../lib/time.ts';
import type { SseStream } from '../../http/sse-streams.ts';
import { createLegacyClient, type LegacyClient } from '../client/legacy-client.ts';
import type { Viewer } from '../client/list-changed.ts';
import type { RequestId } from '../protocol/json-rpc.ts';

/** One session of a client older than 2026-07-28. Its id is no proof of anything: every request proves its principal anew. */
export interface LegacySession {
  /** What the client sends as `Mcp-Session-Id`; never written to a record. */
  readonly id: string;
  readonly principalId: string;
  /** What the path stands for on which it was opened: on another it is unknown. */
  readonly view: ViewName | undefined;
  /** Names the session in records by a UUID of its own. */
  readonly context: CallContext;
  readonly client: LegacyClient;
  readonly inFlight: Map<RequestId, Cancellation>;
  stream: SseStream | undefined;
  /** Stops the pushes to `stream`. */
  stopWatching: (() => void) | undefined;
  lastUsedMs: number;
}

export interface SessionLimits {
  /** Sessions one principal may hold; its longest unused one makes room for another. */
  readonly perPrincipal: number;
  /** Sessions of all principals together; beyond it no new ones. */
  readonly total: number;
  /** Unused for so long, without a stream and without a call, a session is forgotten. */
  readonly idleMs: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = { perPrincipal: 64, total: 10_000, idleMs: 3_600_000 };
const SWEEP_MS = 60_000;
const ID_BYTES = 24;

/** The sessions of one HTTP door, each bound to the principal that opened it. */
export class LegacySessions {
  readonly #sessions = new Map<string, LegacySession>();
  readonly #perPrincipal = new Map<string, Set<LegacySession>>();
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #limits: SessionLimits;
  readonly #sweeper: NodeJS.Timeout;

  constructor(deps: { readonly clock: Clock; readonly ids: Ids }, limits: SessionLimits = DEFAULT_SESSION_LIMITS) {
    this.#clock = deps.clock;
    this.#ids = deps.ids;
    this.#limits = limits;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  /** Opens a session; undefined when there is room for none. */
  open(
    { principalId, view }: Viewer,
    protocolVersion: string,
    client: LegacyClient = createLegacyClient({}),
  ): LegacySession | undefined {
    const ownSessions = this.#perPrincipal.get(principalId) ?? new Set();
    if (ownSessions.size >= this.#limits.perPrincipal && !this.#endLeastRecentlyUsed(ownSessions)) return undefined;
    if (this.#sessions.size >= this.#limits.total) this.sweep();
    if (this.#sessions.size >= this.#limits.total) return undefined;
    const session: LegacySession = {
      id: Buffer.from(this.#ids.randomBytes(ID_BYTES)).toString('base64url'),
      principalId,
      view,
      context: Object.freeze({ transport: 'http', protocolVersion, session: this.#ids.uuidv7() }),
      client,
      inFlight: new Map(),
      stream: undefined,
      stopWatching: undefined,
      lastUsedMs: this.#clock.monotonicMs(),
    };
    client.notify = (json) => session.stream?.send(json) === true;
    this.#sessions.set(session.id, session);
    this.#perPrincipal.set(principalId, ownSessions.add(session));
    return session;
  }

  /** The session of that id, if it is this principal's on this path. Unknown and foreign ones cannot be told apart. */
  find(id: string, { principalId, view }: Viewer): LegacySession | undefined {
    const session = this.#sessions.get(id);
    if (session?.principalId !== principalId || session.view !== view) return undefined;
    session.lastUsedMs = this.#clock.monotonicMs();
    return session;
  }

  /** Forgets a session, ends its stream and cancels its calls. */
  end(session: LegacySession): void {
    this.#sessions.delete(session.id);
    const ownSessions = this.#perPrincipal.get(session.principalId);
    ownSessions?.delete(session);
    if (ownSessions?.size === 0) this.#perPrincipal.delete(session.principalId);
    session.stopWatching?.();
    session.client.subscriptions.closeAll();
    session.stream?.end();
    for (const controller of session.inFlight.values()) controller.abort();
  }

  /** Forgets what was unused for too long. */
  sweep(): void {
    const cutoffMs = this.#clock.monotonicMs() - this.#limits.idleMs;
    for (const session of [...this.#sessions.values()]) {
      if (session.lastUsedMs < cutoffMs && !isBusy(session)) this.end(session);
    }
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  #endLeastRecentlyUsed(ownSessions: ReadonlySet<LegacySession>): boolean {
    let oldest: LegacySession | undefined;
    for (const session of ownSessions) {
      if (!isBusy(session) && (!oldest || session.lastUsedMs < oldest.lastUsedMs)) oldest = session;
    }
    if (oldest) this.end(oldest);
    return oldest !== undefined;
  }
}

function isBusy(session: LegacySession): boolean {
  return session.stream !== undefined || session.inFlight.size > 0;
}
