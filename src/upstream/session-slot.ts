import type { DispatchResult } from '../domain/outcome.ts';
import { upstreamName } from '../domain/target.ts';
import type { JsonObject } from '../lib/json.ts';
import { AskedCall } from './asked-call.ts';
import { BackOff } from './back-off.ts';
import type { Breaker } from './breaker.ts';
import { KeptUrls } from './kept-urls.ts';
import type { Answer, Channel, ServerRequest } from './mcp/channel.ts';
import { listOffers, MAX_PAGE_BYTES } from './mcp/list-offers.ts';
import { type Outgoing, requestOf } from './outgoing.ts';
import { type AskOptions, type CallPlace, sendCall } from './send-call.ts';
import { type FailedSession, openSession, type Session, type SessionHost, stderrTailOf } from './session.ts';
import type { CallOptions, SessionSlotEvents } from './slot-events.ts';
import { Subscriptions } from './subscriptions.ts';

const LIST_PAUSE_MS = 500;

export interface SessionSlotParts {
  readonly events: SessionSlotEvents;
  /** Its own, or one with the other slots of its server. */
  readonly breaker: Breaker;
  /** What its sessions are told that the client can answer. */
  readonly told: JsonObject;
}

/** A place for one session, of one principal or of all: opened when it is needed, again when it was lost, ended when idle. */
export class SessionSlot implements CallPlace {
  readonly breaker: Breaker;
  readonly host: SessionHost;
  readonly told: JsonObject;
  readonly noteDropped: () => void;
  readonly #events: SessionSlotEvents;
  readonly #backOff: BackOff;
  readonly #closing = new AbortController();
  readonly #subscriptions: Subscriptions;
  #session: Session | undefined;
  #starting: Promise<Session | FailedSession> | undefined;
  #activeCalls = 0;
  #lastUsedMs: number;
  #listing: Promise<string | undefined> | undefined;
  /** The calls under way that a server may ask about. */
  readonly #asked = new Set<AskedCall>();
  readonly #urls = new KeptUrls();
  #hasRootsNews = false;
  #isAnnounced = false;
  #isPausing = false;

  constructor(host: SessionHost, parts: SessionSlotParts) {
    const { events, breaker, told } = parts;
    this.breaker = breaker;
    this.host = host;
    this.told = told;
    this.#events = events;
    this.noteDropped = () => events.onDropped();
    this.#backOff = new BackOff(host.clock, host.server.transport.type === 'stdio' ? 'process' : 'connection');
    this.#lastUsedMs = host.clock.monotonicMs();
    this.#subscriptions = new Subscriptions({
      onUpdated: (uri, principalIds) => events.onUpdated(uri, principalIds),
      onListsMissed: () => this.#onAnnounced(),
      onDropped: () => events.onDropped(),
    });
  }

  /** Notes that the roots of its client changed; a session that is opened later asks for them anyway. */
  noteRootsNews(): void {
    this.#hasRootsNews = this.#session !== undefined;
  }

  takeRootsNews(): boolean {
    const hasNews = this.#hasRootsNews;
    this.#hasRootsNews = false;
    return hasNews;
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
    if (!this.#subscriptions.isEmpty) return false;
    return this.#backOff.failures === 0 && this.breaker.isClosed;
  }

  /** True while no listing is needed to hear of changes. */
  get hearsLists(): boolean {
    return this.#session?.hands.era === 'legacy' || this.#subscriptions.hearsLists;
  }

  /** Dispatches one call. Never rejects; a lost session is opened again once, and the call sent again where that is safe. */
  async call(outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    this.#activeCalls += 1;
    try {
      const { signal, link, asking } = options;
      if (link === undefined || asking === undefined) return (await sendCall(this, outgoing, options)).came;
      return await this.#callAsked(outgoing, new AskedCall({ asking, link, signal, clock: this.host.clock }));
    } finally {
      this.#activeCalls -= 1;
      this.#lastUsedMs = this.host.clock.monotonicMs();
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

  /** Keeps the server telling a principal of a resource, in this session and in every later one. */
  hold(uri: string, principalId: string): void {
    this.#subscriptions.hold(uri, principalId);
  }

  get held(): readonly (readonly [string, readonly string[]])[] {
    return this.#subscriptions.held;
  }

  release(uri: string, principalId: string): void {
    this.#subscriptions.release(uri, principalId);
  }

  /** Looks after it once in a while: ends an idle session, opens one again that principals are subscribed in. */
  sweep(): void {
    const nowMs = this.host.clock.monotonicMs();
    this.#subscriptions.retry(nowMs);
    if (!this.#subscriptions.isEmpty) {
      if (this.#session === undefined && !this.isBackingOff) void this.open();
      return;
    }
    const isIdle = this.#activeCalls === 0 && nowMs - this.#lastUsedMs >= this.host.server.idleMs;
    if (this.#session !== undefined && isIdle) void this.drop(this.#session);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#starting;
    if (this.#session !== undefined) await this.drop(this.#session);
  }

  ask(session: Session, outgoing: Outgoing, options: AskOptions): Promise<Answer> {
    const { target, action } = outgoing;
    if (action === 'subscribe') return this.#subscriptions.ask(session, upstreamName(target), options);
    const { method, params, headers } = requestOf(outgoing, session.hands.era);
    const { signal, timeoutMs, maxBytes, listener } = options;
    return session.channel.request(method, params, { signal, timeoutMs, maxBytes, listener, headers });
  }

  /** A call whose server may ask: it is answered while it is at work, or sent again with the answers. */
  async #callAsked(outgoing: Outgoing, asked: AskedCall): Promise<DispatchResult> {
    this.#asked.add(asked);
    const { link, deadline } = asked;
    try {
      const options = { signal: deadline.signal, link, asked };
      return await asked.run((resumed) =>
        sendCall(this, resumed === undefined ? outgoing : { ...outgoing, resumed }, options),
      );
    } finally {
      this.#asked.delete(asked);
      asked.clear();
      if (this.#session !== undefined) this.#urls.keep(asked.urls);
    }
  }

  /** What a server asks on no request's stream can only belong to the one call that is under way. */
  #onQuestion(request: ServerRequest, channel: Pick<Channel, 'respond'>): boolean {
    const [asked] = this.#asked;
    if (this.#activeCalls !== 1 || asked === undefined || this.host.server.sharing === 'all') return false;
    asked.take(request, channel);
    return true;
  }

  /** More than one call may wait for the same interaction: a server may know its user by the session. */
  #onElicitationComplete(id: string): boolean {
    let isKnown = this.#urls.complete(id);
    for (const { urls } of this.#asked) isKnown = urls.complete(id) || isKnown;
    return isKnown;
  }

  async #start(): Promise<Session | FailedSession> {
    let session: Session | undefined;
    const opened = await openSession(this.host, {
      signal: this.#closing.signal,
      told: this.told,
      events: {
        onToolsChanged: () => this.#onAnnounced(),
        onResourceUpdated: (uri) => this.#subscriptions.tell(uri),
        onDropped: () => this.#events.onDropped(),
        onWithdrawn: (id) => [...this.#asked].some((asked) => asked.withdraw(id)),
        onElicitationComplete: (id) => this.#onElicitationComplete(id),
        onQuestion: (request, channel) => this.#onQuestion(request, channel),
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
        if (this.host.server.transport.type !== 'stdio') this.breaker.note('failing');
        this.#events.onFailure(opened.detail ?? opened.message, opened.stderrTail);
      }
      return opened;
    }
    session = opened;
    this.#lastUsedMs = this.host.clock.monotonicMs();
    if (opened.channel.ended !== undefined) this.#onEnded(opened, opened.channel.ended);
    else {
      this.#session = opened;
      this.#subscriptions.renew(opened);
    }
    this.#events.onOpened();
    this.#events.onListed(opened);
    if (this.#isAnnounced) this.#onAnnounced();
    return opened;
  }

  #onEnded(session: Session, why: string): void {
    this.#subscriptions.end(session);
    this.#urls.clear();
    if (this.#session === session) this.#session = undefined;
    this.#backOff.noteFailure(this.host.clock.monotonicMs() - session.openedAtMs);
    this.#events.onFailure(why, stderrTailOf(session.channel));
  }

  async drop(session: Session): Promise<void> {
    if (this.#session === session) this.#session = undefined;
    this.#subscriptions.end(session);
    this.#urls.clear();
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
    const { server, clock } = this.host;
    const { timeoutMs, maxTools } = server;
    const options = { signal: this.#closing.signal, timeoutMs, maxBytes: MAX_PAGE_BYTES, maxTools };
    const { era, protocolVersion, capabilities } = session.hands;
    const listing = await listOffers(session.channel, capabilities, options);
    if (listing.kind === 'failed') {
      if (listing.sessionLost === true) void this.drop(session);
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
