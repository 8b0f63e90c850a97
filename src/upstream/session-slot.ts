import type { AgentLink } from '../domain/agent-link.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { BackOff } from './back-off.ts';
import { type Breaker, evidenceOf } from './breaker.ts';
import { isSessionGone, mayBeSentAgain, overBefore } from './call-again.ts';
import { listenerOf } from './call-listener.ts';
import { dispatchResultOf, notSent } from './failed-call.ts';
import { askForLogs } from './log-level.ts';
import type { Answer, RequestListener } from './mcp/channel.ts';
import { listOffers, MAX_PAGE_BYTES } from './mcp/list-offers.ts';
import { type Outgoing, requestOf } from './outgoing.ts';
import { type FailedSession, openSession, type Session, type SessionHost, stderrTailOf } from './session.ts';

const LIST_PAUSE_MS = 500;

/** What surrounds one call: the agent's cancellation, and its side of the call where it wants to hear of it. */
export interface CallOptions {
  readonly signal: CancelSignal;
  readonly link?: AgentLink | undefined;
}

/** What a slot tells of. */
export interface SessionSlotEvents {
  onOpened(): void;
  /** What a session offers was listed: at its start, and whenever the server said that they changed. */
  onListed(session: Session): void;
  onListingFailed(message: string): void;
  onDropped(): void;
  /** A start failed, or a session ended that nobody ended. */
  onFailure(message: string, stderrTail: string): void;
}

export const driftPosture: PostureRow<'tool-drifted'> = {
  guard: 'drift',
  when: 'a server declares a tool otherwise than it was agreed to, found out as the call is to be sent',
  yields: 'tool-drifted',
  means: 'nothing is sent',
  opens: null,
};

/** A place for one session, of one principal or of all: opened when it is needed, again when it was lost, ended when idle. */
export class SessionSlot {
  /** Its own, or one with the other slots of its server. */
  readonly breaker: Breaker;
  readonly #host: SessionHost;
  readonly #events: SessionSlotEvents;
  readonly #backOff: BackOff;
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #starting: Promise<Session | FailedSession> | undefined;
  #activeCalls = 0;
  #lastUsedMs: number;
  #listing: Promise<string | undefined> | undefined;
  #isAnnounced = false;
  #isPausing = false;

  constructor(host: SessionHost, events: SessionSlotEvents, breaker: Breaker) {
    this.breaker = breaker;
    this.#host = host;
    this.#events = events;
    this.#backOff = new BackOff(host.clock, host.server.transport.type === 'stdio' ? 'process' : 'connection');
    this.#lastUsedMs = host.clock.monotonicMs();
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get activeCalls(): number {
    return this.#activeCalls;
  }

  get isStarting(): boolean {
    return this.#starting !== undefined;
  }

  get isBackingOff(): boolean {
    return this.#backOff.waitMs > 0;
  }

  /** True when nothing of it is worth keeping: no session, no call, no failure to remember. */
  get isEmpty(): boolean {
    if (this.#session !== undefined || this.isStarting || this.#activeCalls > 0) return false;
    return this.#backOff.failures === 0 && this.breaker.isClosed;
  }

  /** Dispatches one call. Never rejects; a lost session is opened again once, and the call sent again where that is safe. */
  async call(outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    this.#activeCalls += 1;
    try {
      return await this.#callTwice(outgoing, options);
    } finally {
      this.#activeCalls -= 1;
      this.#lastUsedMs = this.#host.clock.monotonicMs();
    }
  }

  /** The open session, opened now where there is none. */
  open(): Promise<Session | FailedSession> {
    if (this.#session !== undefined) return Promise.resolve(this.#session);
    if (this.#closing.signal.aborted) return Promise.resolve(failedSession('the server was taken out of service'));
    const { waitMs } = this.#backOff;
    if (this.#starting === undefined && waitMs > 0) {
      const failed = failedSession(`it keeps failing; the next start is tried in ${waitMs} ms`);
      return Promise.resolve({ ...failed, retryAfterMs: waitMs });
    }
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Lists what the open session offers again, or waits for the listing that is under way. Resolves with why it failed, if it did. */
  listAgain(): Promise<string | undefined> {
    if (this.#session === undefined) return Promise.resolve(undefined);
    this.#listing ??= this.#list(this.#session).finally(() => {
      this.#listing = undefined;
      if (this.#isAnnounced) this.#onAnnounced();
    });
    return this.#listing;
  }

  /** Ends the session when it was idle for long enough. */
  endIfIdle(): void {
    const idleMs = this.#host.clock.monotonicMs() - this.#lastUsedMs;
    if (this.#session === undefined || this.#activeCalls > 0 || idleMs < this.#host.server.idleMs) return;
    void this.#drop(this.#session);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#starting;
    if (this.#session !== undefined) await this.#drop(this.#session);
  }

  async #callTwice(outgoing: Outgoing, { signal, link }: CallOptions): Promise<DispatchResult> {
    const { target } = outgoing;
    const listener = link === undefined ? undefined : this.#listenerOf(link);
    let deadlineMs: number | undefined;
    const openBefore = this.#session;
    let isRenewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const session = this.#session ?? (await this.#openWhile(signal));
      if (session === 'over') return overBefore(signal);
      if (session.kind === 'failed') {
        return notSent('upstream-unavailable', `\`${target.server}\`: ${session.message}`, session.retryAfterMs);
      }
      if (!session.declares(target)) {
        // Definitions that were agreed to after this session was opened are those of a newer process.
        if (attempt === 1 && this.#activeCalls === 1 && session === openBefore) {
          await this.#drop(session);
          continue;
        }
        return notSent(driftPosture.yields, `the ${target.kind} is no longer what was agreed to`);
      }
      if (listener?.logLevel !== undefined && this.#host.server.sharing === 'principal') {
        await askForLogs(session, listener.logLevel, signal);
      }
      const nowMs = this.#host.clock.monotonicMs();
      deadlineMs ??= nowMs + target.timeoutMs;
      const { aliveCount } = this.breaker;
      const { method, params, headers } = requestOf(outgoing, session.hands.era);
      const answer = await session.channel.request(method, params, {
        signal,
        timeoutMs: Math.max(1, deadlineMs - nowMs),
        maxBytes: target.maxResultBytes,
        listener,
        ...(headers === undefined ? {} : { headers }),
      });
      this.#noteAnswer(answer, aliveCount);
      if (isSessionGone(answer)) void this.#drop(session);
      const isForgotten = answer.kind === 'failed' && answer.why === 'session-lost';
      // A connection that broke may be followed by a session that is gone: each is mended once.
      const again = (isForgotten ? !isRenewed : attempt === 1) && mayBeSentAgain(answer, target) && !signal.aborted;
      isRenewed ||= isForgotten;
      if (!again) return dispatchResultOf(answer, session.hands.era);
    }
  }

  #listenerOf(link: AgentLink): RequestListener {
    const { maxNotifications } = this.#host.server;
    return listenerOf(link, { maxNotifications, onDropped: () => this.#events.onDropped() });
  }

  #noteAnswer(answer: Answer, aliveBefore: number): void {
    // A process that ended is the back-off's to judge.
    if (answer.kind === 'failed' && answer.why === 'lost' && this.#host.server.transport.type === 'stdio') return;
    this.breaker.note(evidenceOf(answer, this.breaker.aliveCount === aliveBefore));
  }

  async #openWhile(signal: CancelSignal): Promise<Session | FailedSession | 'over'> {
    if (signal.aborted) return 'over';
    let onAbort: () => void = () => {};
    const over = new Promise<'over'>((resolve) => {
      onAbort = () => resolve('over');
    });
    signal.addEventListener('abort', onAbort, { once: true });
    const opened = await Promise.race([this.open(), over]);
    signal.removeEventListener('abort', onAbort);
    return opened;
  }

  async #start(): Promise<Session | FailedSession> {
    let session: Session | undefined;
    const opened = await openSession(this.#host, {
      signal: this.#closing.signal,
      events: {
        onToolsChanged: () => this.#onAnnounced(),
        onDropped: () => this.#events.onDropped(),
        onEnded: (why) => {
          // Before the session is open its end is the failure of the start.
          if (session !== undefined) this.#onEnded(session, why);
        },
      },
    });
    this.#starting = undefined;
    if (opened.kind === 'failed') {
      if (!this.#closing.signal.aborted) {
        this.#backOff.noteFailure(0);
        if (this.#host.server.transport.type !== 'stdio') this.breaker.note('failing');
        this.#events.onFailure(opened.detail ?? opened.message, opened.stderrTail);
      }
      return opened;
    }
    session = opened;
    this.#lastUsedMs = this.#host.clock.monotonicMs();
    if (opened.channel.ended !== undefined) this.#onEnded(opened, opened.channel.ended);
    else this.#session = opened;
    this.#events.onOpened();
    this.#events.onListed(opened);
    if (this.#isAnnounced) this.#onAnnounced();
    return opened;
  }

  #onEnded(session: Session, why: string): void {
    if (this.#session === session) this.#session = undefined;
    this.#backOff.noteFailure(this.#host.clock.monotonicMs() - session.openedAtMs);
    this.#events.onFailure(why, stderrTailOf(session.channel));
  }

  async #drop(session: Session): Promise<void> {
    if (this.#session === session) this.#session = undefined;
    await session.channel.close();
  }

  /** The server says that its lists changed. One that says so without end must not keep the broker listing. */
  #onAnnounced(): void {
    this.#isAnnounced = true;
    if (this.#isPausing || this.#listing !== undefined || this.#session === undefined) return;
    this.#isAnnounced = false;
    this.#isPausing = true;
    void this.listAgain().then(() => {
      setTimeout(() => {
        this.#isPausing = false;
        if (this.#isAnnounced) this.#onAnnounced();
      }, LIST_PAUSE_MS).unref();
    });
  }

  async #list(session: Session): Promise<string | undefined> {
    const { server, clock } = this.#host;
    const { timeoutMs, maxTools } = server;
    const options = { signal: this.#closing.signal, timeoutMs, maxBytes: MAX_PAGE_BYTES, maxTools };
    const { era, protocolVersion, capabilities } = session.hands;
    const listing = await listOffers(session.channel, capabilities, options);
    if (listing.kind === 'failed') {
      if (listing.sessionLost === true) void this.#drop(session);
      else if (session.channel.ended === undefined) this.#events.onListingFailed(listing.message);
      return listing.message;
    }
    const { kind: _, ...offers } = listing;
    session.see({ ...offers, era, protocolVersion, atMs: clock.wallMs() });
    this.#events.onListed(session);
    return undefined;
  }
}

function failedSession(message: string): FailedSession {
  return { kind: 'failed', message, stderrTail: '' };
}
