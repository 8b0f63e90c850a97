import type { JsonObject } from '../lib/json/json.ts';
import { formatDuration } from '../lib/time.ts';
import type { Breaker } from './call/breaker.ts';
import type { InteractiveCall } from './call/interactive-call.ts';
import { DetachedUrlElicitations } from './call/url-elicitations.ts';
import { listFeatures, MAX_PAGE_BYTES } from './protocol/list-features.ts';
import type { RequestOptions, Response, ServerRequest, Transport } from './protocol/transport.ts';
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

/** Events of a managed session. */
export interface ManagedSessionEvents {
  onOpened(): void;
  /** Features were listed: when a session opened, or after the server reported a change. */
  onListed(session: Session): void;
  onListingFailed(message: string): void;
  /** A resource with these subscribers changed or may have changed. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  onDropped(): void;
  /** A session could not be opened, or ended by itself. */
  onFailure(message: string, stderrTail: string): void;
}

export interface ManagedSessionOptions {
  readonly events: ManagedSessionEvents;
  /** Shared with the other sessions of the server, unless each has its own process. */
  readonly breaker: Breaker;
  /** Client capabilities that its sessions declare. */
  readonly clientCapabilities: JsonObject;
}

/** Keeps one session of a server, for one principal or for all: opens it when needed, again after it was lost, and ends it when idle. */
export class ManagedSession {
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
  /** Calls in flight whose server may request input. */
  readonly #interactiveCalls = new Set<InteractiveCall>();
  readonly #urls = new DetachedUrlElicitations();
  #hasRootsChanged = false;
  #hasListChanged = false;
  #isThrottled = false;

  constructor(config: SessionConfig, options: ManagedSessionOptions) {
    const { events, breaker, clientCapabilities } = options;
    this.breaker = breaker;
    this.config = config;
    this.clientCapabilities = clientCapabilities;
    this.#events = events;
    this.countDropped = () => events.onDropped();
    this.#backOff = new BackOff(config.clock, config.server.transport.type === 'stdio' ? 'process' : 'connection');
    this.#lastUsedMs = config.clock.monotonicMs();
    this.#subscriptions = new Subscriptions({
      onUpdated: (uri, principalIds) => events.onUpdated(uri, principalIds),
      onListsMaybeChanged: () => this.#onListChanged(),
      onDropped: () => events.onDropped(),
    });
  }

  /** Notes that the roots of its client changed. A session that opens later requests them anyway. */
  markRootsChanged(): void {
    this.#hasRootsChanged = this.#session !== undefined;
  }

  /** True once after `markRootsChanged`: the server is notified with a call that can answer its request for roots. */
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

  /** True if it can be removed: it has no session, no call, no subscription and no failure to remember. */
  get isEmpty(): boolean {
    if (this.#session !== undefined || this.isStarting || this.#activeCalls > 0) return false;
    if (!this.#subscriptions.isEmpty) return false;
    return this.#backOff.failures === 0 && this.breaker.isClosed;
  }

  /** True while the server reports changes of its lists. */
  get receivesListChanges(): boolean {
    return this.#session?.negotiated.era === 'legacy' || this.#subscriptions.receivesListChanges;
  }

  /** Counts a call, so that the session is neither idle nor discarded until `endCall`. */
  beginCall(): void {
    this.#activeCalls += 1;
  }

  endCall(): void {
    this.#activeCalls -= 1;
    this.#lastUsedMs = this.config.clock.monotonicMs();
  }

  /** Routes input requests and notifications of the server to a call, until it is removed. */
  addInteractiveCall(interactiveCall: InteractiveCall): void {
    this.#interactiveCalls.add(interactiveCall);
  }

  /** Ends the routing. URL elicitations that the user accepted stay known until the session ends. */
  removeInteractiveCall(interactiveCall: InteractiveCall): void {
    this.#interactiveCalls.delete(interactiveCall);
    interactiveCall.clear();
    if (this.#session !== undefined) this.#urls.add(interactiveCall.urls);
  }

  /** Returns the open session, and opens one if there is none. */
  open(): Promise<Session | FailedSession> {
    if (this.#session !== undefined) return Promise.resolve(this.#session);
    if (this.#closing.signal.aborted) return Promise.resolve(failedSession('the server was taken out of service'));
    const { waitMs } = this.#backOff;
    if (this.#starting === undefined && waitMs > 0) {
      const failed = failedSession(`it keeps failing; the next start is in ${formatDuration(waitMs)}`);
      return Promise.resolve({ ...failed, retryAfterMs: waitMs });
    }
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Lists the features of the open session again, or waits for a listing in flight. @returns the error, if it failed. */
  refreshList(): Promise<string | undefined> {
    if (this.#session === undefined) return Promise.resolve(undefined);
    this.#listing ??= this.#list(this.#session).finally(() => {
      this.#listing = undefined;
      if (this.#hasListChanged) this.#onListChanged();
    });
    return this.#listing;
  }

  /** Keeps a principal subscribed to a resource, in this session and in every later one. */
  subscribe(uri: string, principalId: string): void {
    this.#subscriptions.add(uri, principalId);
  }

  get subscriptions(): readonly (readonly [string, readonly string[]])[] {
    return this.#subscriptions.entries;
  }

  unsubscribe(uri: string, principalId: string): void {
    this.#subscriptions.remove(uri, principalId);
  }

  /** Ends an idle session, and opens one again if it has subscribers. Called once a second. */
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

  /** Subscribes to a resource in an open session. Never rejects. */
  sendSubscribe(session: Session, uri: string, options: RequestOptions): Promise<Response> {
    return this.#subscriptions.subscribe(session, uri, options);
  }

  /** Routes an input request outside of any request's stream: it can only belong to a call if that is the only one in flight. */
  #onInputRequest(request: ServerRequest, transport: Pick<Transport, 'respond'>): boolean {
    const [interactiveCall] = this.#interactiveCalls;
    if (this.#activeCalls !== 1 || interactiveCall === undefined || this.config.server.sharing === 'all') return false;
    interactiveCall.handleServerRequest(request, transport);
    return true;
  }

  /** Several calls may wait for the same URL elicitation: a server may identify its user by the session. */
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
          // The end of a session that is not open yet is the failure of its start.
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

  /** Closes a session that is idle or no longer valid. The next call opens another. */
  async drop(session: Session): Promise<void> {
    if (this.#session === session) this.#session = undefined;
    this.#subscriptions.end(session);
    this.#urls.clear();
    await session.transport.close();
  }

  /** Lists again after the server reported a change, at most twice a second: a server may report changes without end. */
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
