import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import { upstreamName } from '../domain/target.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Breaker } from './call/breaker.ts';
import { InteractiveCall } from './call/interactive-call.ts';
import { type CallSession, type SessionRequestOptions, sendCall } from './call/send-call.ts';
import { toMcpRequest, type UpstreamRequest } from './call/upstream-request.ts';
import { DetachedUrlElicitations } from './call/url-elicitations.ts';
import { listFeatures, MAX_PAGE_BYTES } from './protocol/list-features.ts';
import type { Response, ServerRequest, Transport } from './protocol/transport.ts';
import {
  BackOff,
  type FailedSession,
  openSession,
  type Session,
  type SessionConfig,
  stderrTailOf,
} from './session/session.ts';
import { Subscriptions } from './session/subscriptions.ts';

const LIST_THROTTLE_MS = 500;

/** What a slot tells of. */
export interface ManagedSessionEvents {
  onOpened(): void;
  /** What a session offers was listed: at its start, and whenever the server said that they changed. */
  onListed(session: Session): void;
  onListingFailed(message: string): void;
  /** A resource changed that these principals are subscribed to, or may have. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  onDropped(): void;
  /** A start failed, or a session ended that nobody ended. */
  onFailure(message: string, stderrTail: string): void;
}

export interface ManagedSessionOptions {
  readonly events: ManagedSessionEvents;
  /** Its own, or one with the other slots of its server. */
  readonly breaker: Breaker;
  /** What its sessions are told that the client can answer. */
  readonly clientCapabilities: JsonObject;
}

/** A place for one session, of one principal or of all: opened when it is needed, again when it was lost, ended when idle. */
export class ManagedSession implements CallSession {
  readonly breaker: Breaker;
  readonly config: SessionConfig;
  readonly clientCapabilities: JsonObject;
  readonly countDropped: () => void;
  readonly #events: ManagedSessionEvents;
  readonly #backOff: BackOff;
  readonly #closing = new AbortController();
  readonly #subscriptions: Subscriptions;
  #session: Session | undefined;
  #starting: Promise<Session | FailedSession> | undefined;
  #activeCalls = 0;
  #lastUsedMs: number;
  #listing: Promise<string | undefined> | undefined;
  /** The calls under way that a server may ask about. */
  readonly #interactiveCalls = new Set<InteractiveCall>();
  readonly #urls = new DetachedUrlElicitations();
  #hasRootsChanged = false;
  #hasListChanged = false;
  #isThrottled = false;

  constructor(host: SessionConfig, options: ManagedSessionOptions) {
    const { events, breaker, clientCapabilities } = options;
    this.breaker = breaker;
    this.config = host;
    this.clientCapabilities = clientCapabilities;
    this.#events = events;
    this.countDropped = () => events.onDropped();
    this.#backOff = new BackOff(host.clock, host.server.transport.type === 'stdio' ? 'process' : 'connection');
    this.#lastUsedMs = host.clock.monotonicMs();
    this.#subscriptions = new Subscriptions({
      onUpdated: (uri, principalIds) => events.onUpdated(uri, principalIds),
      onListsMaybeChanged: () => this.#onListChanged(),
      onDropped: () => events.onDropped(),
    });
  }

  /** Notes that the roots of its client changed; a session that is opened later asks for them anyway. */
  markRootsChanged(): void {
    this.#hasRootsChanged = this.#session !== undefined;
  }

  consumeRootsChanged(): boolean {
    const hasRootsChanged = this.#hasRootsChanged;
    this.#hasRootsChanged = false;
    return hasRootsChanged;
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
  get receivesListChanges(): boolean {
    return this.#session?.negotiated.era === 'legacy' || this.#subscriptions.receivesListChanges;
  }

  /** Dispatches one call. Never rejects; a lost session is opened again once, and the call sent again where that is safe. */
  async call(outgoing: UpstreamRequest, options: DispatchOptions): Promise<DispatchResult> {
    this.#activeCalls += 1;
    try {
      const { signal, clientContext, inputRequests } = options;
      if (clientContext === undefined || inputRequests === undefined)
        return (await sendCall(this, outgoing, options)).result;
      return await this.#callInteractive(
        outgoing,
        new InteractiveCall({ handler: inputRequests, clientContext, signal, clock: this.config.clock }),
      );
    } finally {
      this.#activeCalls -= 1;
      this.#lastUsedMs = this.config.clock.monotonicMs();
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
  refreshList(): Promise<string | undefined> {
    if (this.#session === undefined) return Promise.resolve(undefined);
    this.#listing ??= this.#list(this.#session).finally(() => {
      this.#listing = undefined;
      if (this.#hasListChanged) this.#onListChanged();
    });
    return this.#listing;
  }

  /** Keeps the server telling a principal of a resource, in this session and in every later one. */
  subscribe(uri: string, principalId: string): void {
    this.#subscriptions.add(uri, principalId);
  }

  get subscriptions(): readonly (readonly [string, readonly string[]])[] {
    return this.#subscriptions.entries;
  }

  unsubscribe(uri: string, principalId: string): void {
    this.#subscriptions.remove(uri, principalId);
  }

  /** Looks after it once in a while: ends an idle session, opens one again that principals are subscribed in. */
  sweep(): void {
    const nowMs = this.config.clock.monotonicMs();
    this.#subscriptions.retry(nowMs);
    if (!this.#subscriptions.isEmpty) {
      if (this.#session === undefined && !this.isBackingOff) void this.open();
      return;
    }
    const isIdle = this.#activeCalls === 0 && nowMs - this.#lastUsedMs >= this.config.server.idleMs;
    if (this.#session !== undefined && isIdle) void this.drop(this.#session);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#starting;
    if (this.#session !== undefined) await this.drop(this.#session);
  }

  request(session: Session, outgoing: UpstreamRequest, options: SessionRequestOptions): Promise<Response> {
    const { target, action } = outgoing;
    if (action === 'subscribe') return this.#subscriptions.subscribe(session, upstreamName(target), options);
    const { method, params, headers } = toMcpRequest(outgoing, session.negotiated.era);
    const { signal, timeoutMs, maxBytes, listener } = options;
    return session.transport.request(method, params, { signal, timeoutMs, maxBytes, listener, headers });
  }

  /** A call whose server may ask: it is answered while it is at work, or sent again with the answers. */
  async #callInteractive(outgoing: UpstreamRequest, interactiveCall: InteractiveCall): Promise<DispatchResult> {
    this.#interactiveCalls.add(interactiveCall);
    const { clientContext, deadline } = interactiveCall;
    try {
      const options = { signal: deadline.signal, clientContext, interactiveCall };
      return await interactiveCall.run((resumed) =>
        sendCall(this, resumed === undefined ? outgoing : { ...outgoing, retryParams: resumed }, options),
      );
    } finally {
      this.#interactiveCalls.delete(interactiveCall);
      interactiveCall.clear();
      if (this.#session !== undefined) this.#urls.add(interactiveCall.urls);
    }
  }

  /** What a server asks on no request's stream can only belong to the one call that is under way. */
  #onInputRequest(request: ServerRequest, transport: Pick<Transport, 'respond'>): boolean {
    const [interactiveCall] = this.#interactiveCalls;
    if (this.#activeCalls !== 1 || interactiveCall === undefined || this.config.server.sharing === 'all') return false;
    interactiveCall.handleServerRequest(request, transport);
    return true;
  }

  /** More than one call may wait for the same interaction: a server may know its user by the session. */
  #onElicitationComplete(id: string): boolean {
    let isKnown = this.#urls.complete(id);
    for (const { urls } of this.#interactiveCalls) isKnown = urls.complete(id) || isKnown;
    return isKnown;
  }

  async #start(): Promise<Session | FailedSession> {
    let session: Session | undefined;
    const opened = await openSession(this.config, {
      signal: this.#closing.signal,
      clientCapabilities: this.clientCapabilities,
      events: {
        onListChanged: () => this.#onListChanged(),
        onResourceUpdated: (uri) => this.#subscriptions.notify(uri),
        onDropped: () => this.#events.onDropped(),
        onCancelled: (id) => [...this.#interactiveCalls].some((interactiveCall) => interactiveCall.cancelRequest(id)),
        onElicitationComplete: (id) => this.#onElicitationComplete(id),
        onInputRequest: (request, transport) => this.#onInputRequest(request, transport),
        onEnded: (reason) => {
          // Before the session is open its end is the failure of the start.
          if (session !== undefined) this.#onEnded(session, reason);
        },
      },
    });
    this.#starting = undefined;
    if (opened.kind === 'failed') {
      if (!this.#closing.signal.aborted) {
        this.#backOff.recordFailure(0);
        if (this.config.server.transport.type !== 'stdio') this.breaker.record('failing');
        this.#events.onFailure(opened.detail ?? opened.message, opened.stderrTail);
      }
      return opened;
    }
    session = opened;
    this.#lastUsedMs = this.config.clock.monotonicMs();
    if (opened.transport.endReason !== undefined) this.#onEnded(opened, opened.transport.endReason);
    else {
      this.#session = opened;
      this.#subscriptions.resubscribe(opened);
    }
    this.#events.onOpened();
    this.#events.onListed(opened);
    if (this.#hasListChanged) this.#onListChanged();
    return opened;
  }

  #onEnded(session: Session, reason: string): void {
    this.#subscriptions.end(session);
    this.#urls.clear();
    if (this.#session === session) this.#session = undefined;
    this.#backOff.recordFailure(this.config.clock.monotonicMs() - session.openedAtMs);
    this.#events.onFailure(reason, stderrTailOf(session.transport));
  }

  async drop(session: Session): Promise<void> {
    if (this.#session === session) this.#session = undefined;
    this.#subscriptions.end(session);
    this.#urls.clear();
    await session.transport.close();
  }

  /** The server says that its lists changed. One that says so without end must not keep the broker listing. */
  #onListChanged(): void {
    this.#hasListChanged = true;
    if (this.#isThrottled || this.#listing !== undefined || this.#session === undefined) return;
    this.#hasListChanged = false;
    this.#isThrottled = true;
    void this.refreshList().then(() => {
      setTimeout(() => {
        this.#isThrottled = false;
        if (this.#hasListChanged) this.#onListChanged();
      }, LIST_THROTTLE_MS).unref();
    });
  }

  async #list(session: Session): Promise<string | undefined> {
    const { server, clock } = this.config;
    const { timeoutMs, maxTools } = server;
    const options = { signal: this.#closing.signal, timeoutMs, maxBytes: MAX_PAGE_BYTES, maxTools };
    const { era, protocolVersion, capabilities } = session.negotiated;
    const listing = await listFeatures(session.transport, capabilities, options);
    if (listing.kind === 'failed') {
      if (listing.sessionLost === true) void this.drop(session);
      else if (session.transport.endReason === undefined) this.#events.onListingFailed(listing.message);
      return listing.message;
    }
    const { kind: _, ...features } = listing;
    session.update({ ...features, era, protocolVersion, atMs: clock.wallMs() });
    this.#events.onListed(session);
    return undefined;
  }
}

function failedSession(message: string): FailedSession {
  return { kind: 'failed', message, stderrTail: '' };
}
