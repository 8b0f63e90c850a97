import type { CallContext } from '../../../domain/call.ts';
import type { ViewName } from '../../../domain/target.ts';
import type { Cancellation } from '../../../lib/cancellation.ts';
import type { Ids } from '../../../lib/ids.ts';
import type { Clock } from '../../../lib/time.ts';
import type { SseStream } from '../../http/sse-streams.ts';
import { createLegacyClient, type LegacyClient } from '../client/legacy-client.ts';
import type { Viewer } from '../client/list-changed.ts';
import type { RequestId } from '../protocol/json-rpc.ts';

/** A session of a client older than 2026-07-28. Its id is not a credential: every request is authenticated. */
export interface LegacySession {
  /** Value of `Mcp-Session-Id`; never recorded. */
  readonly id: string;
  readonly principalId: string;
  /** View of the path on which it was opened. The session does not exist on other paths. */
  readonly view: ViewName | undefined;
  /** Identifies the session in records by a separate UUID. */
  readonly context: CallContext;
  readonly client: LegacyClient;
  readonly inFlight: Map<RequestId, Cancellation>;
  stream: SseStream | undefined;
  /** Stops the notifications to `stream`. */
  stopWatching: (() => void) | undefined;
  lastUsedMs: number;
}

export interface SessionLimits {
  /** Sessions of one principal. A new one replaces the least recently used. */
  readonly perPrincipal: number;
  /** Sessions of all principals together. At the limit no new ones are opened. */
  readonly total: number;
  /** Milliseconds after which an unused session without a stream or a call ends. */
  readonly idleMs: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = { perPrincipal: 64, total: 10_000, idleMs: 3_600_000 };
const SWEEP_MS = 60_000;
const ID_BYTES = 24;

/** The sessions of one HTTP endpoint, each bound to the principal that opened it. */
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

  /** Opens a session. Returns undefined if a limit is reached and no session can be replaced. */
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

  /** Returns the session with this id; undefined if it does not exist for this principal on this path. */
  find(id: string, { principalId, view }: Viewer): LegacySession | undefined {
    const session = this.#sessions.get(id);
    if (session?.principalId !== principalId || session.view !== view) return undefined;
    session.lastUsedMs = this.#clock.monotonicMs();
    return session;
  }

  /** Ends a session with its stream, and cancels its calls. */
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

  /** Ends the sessions that were unused for too long. */
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
