import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import { upstreamName } from '../domain/target.ts';
import type { Digest } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Log } from '../telemetry/log.ts';
import { Breaker } from './call/breaker.ts';
import { notSent } from './call/dispatch-result.ts';
import type { UpstreamRequest } from './call/upstream-request.ts';
import { type Caller, CapabilitySessions, NO_CAPABILITIES, sessionKey } from './capability-sessions.ts';
import { ManagedSession, type ManagedSessionEvents } from './managed-session.ts';
import { sendCall } from './send-call.ts';
import type { Session, SessionConfig } from './session/session.ts';
import type { DiscoveredFeatures, UpstreamServer } from './session/upstream-server.ts';
import { HttpClient } from './transport/http-client.ts';
import { stateOfSessions, type UpstreamStatus, worstBreakerState } from './upstream-status.ts';

/** Age at which a server in use is listed again if it sends no change notifications. */
const REFRESH_LIST_MS = 60_000;
const SHARED_KEY = 'all';

/** Called when the features of a server changed, or can no longer be listed. */
export type FeaturesChangedListener = (server: string, change: DiscoveredFeatures | { readonly error: string }) => void;

/** Called when a resource changed or may have changed, with its subscribers. */
export type ResourceUpdatedListener = (server: string, uri: string, principalIds: readonly string[]) => void;

export interface ServerRuntimeOptions extends Omit<SessionConfig, 'httpClient'> {
  readonly log: Log;
  readonly onResourceUpdated: ResourceUpdatedListener;
  readonly onFeaturesChanged: FeaturesChangedListener;
}

/** One tool server in service: its sockets, its sessions, its breaker, and the digest of its features. */
export class ServerRuntime {
  readonly server: UpstreamServer;
  readonly #options: ServerRuntimeOptions;
  readonly #config: SessionConfig;
  readonly #sessions = new Map<string, ManagedSession>();
  /** Shared by all sessions, unless each has its own process. */
  readonly #breaker: Breaker;
  #discoverySession: ManagedSession | undefined;
  #discovery: Promise<DiscoveredFeatures | { readonly error: string }> | undefined;
  #digest: Digest | undefined;
  readonly #capabilitySessions: CapabilitySessions;
  #droppedMessages = 0;
  #lastError: { readonly message: string; readonly sinceMs: number } | undefined;
  #failures = 0;
  #starts = 0;
  #stderrTail = '';
  #state: UpstreamStatus['state'] = 'idle';
  #sinceMs: number;
  #isRetired = false;

  constructor(options: ServerRuntimeOptions) {
    this.server = options.server;
    this.#options = options;
    const { transport } = options.server;
    const httpClient =
      transport.type === 'stdio' ? undefined : new HttpClient(new URL(transport.url).origin, options.server);
    this.#config = { ...options, httpClient };
    this.#sinceMs = options.clock.wallMs();
    this.#breaker = this.#newBreaker();
    this.#capabilitySessions = new CapabilitySessions(this.#sessions, {
      isLeased: transport.type !== 'streamable-http',
    });
  }

  call(caller: Caller, request: UpstreamRequest, options: DispatchOptions): Promise<DispatchResult> {
    if (this.#isRetired) return Promise.resolve(notSent('upstream-unavailable', 'the server was taken out of service'));
    const clientCapabilities = this.#clientCapabilitiesFor(options);
    if (clientCapabilities === NO_CAPABILITIES) {
      return sendCall(this.#sessionFor(this.#keyOf(caller.principalId), NO_CAPABILITIES), request, options);
    }
    const key = sessionKey(caller, clientCapabilities);
    const leaseOptions = {
      signal: options.signal,
      timeoutMs: request.target.timeoutMs,
      preempt: () => options.inputRequests?.preempt() === true,
    };
    return this.#capabilitySessions.runInSession({ principalId: caller.principalId, key }, leaseOptions, (leaseKey) =>
      sendCall(this.#sessionFor(leaseKey, clientCapabilities), request, options),
    );
  }

  /** Notifies the sessions that received the roots of this legacy client that they changed. */
  rootsChanged(caller: Caller): void {
    this.#capabilitySessions.rootsChanged(caller);
  }

  /** Subscribes a principal to a resource. */
  async subscribe(caller: Caller, request: UpstreamRequest, options: DispatchOptions): Promise<DispatchResult> {
    const { principalId } = caller;
    const result = await this.call(caller, request, options);
    if (result.kind !== 'completed') return result;
    this.#sessionFor(this.#keyOf(principalId), NO_CAPABILITIES).subscribe(upstreamName(request.target), principalId);
    // The result of a subscription is empty, whatever the server adds.
    return { kind: 'completed', result: {}, resultBytes: 2 };
  }

  /** Takes over the subscriptions from the runtime of another revision of this server. */
  inheritSubscriptions(previous: ServerRuntime): void {
    for (const managedSession of previous.#sessions.values()) {
      for (const [uri, principalIds] of managedSession.subscriptions) {
        for (const principalId of principalIds)
          this.#sessionFor(this.#keyOf(principalId), NO_CAPABILITIES).subscribe(uri, principalId);
      }
    }
  }

  unsubscribe(principalId: string, uri: string): void {
    this.#sessions.get(this.#keyOf(principalId))?.unsubscribe(uri, principalId);
  }

  /** Lists the features of the server now. With `sharing: principal` it uses a session of its own and closes it. */
  discover(): Promise<DiscoveredFeatures | { readonly error: string }> {
    this.#discovery ??= this.#discover().finally(() => {
      this.#discovery = undefined;
    });
    return this.#discovery;
  }

  get status(): UpstreamStatus {
    const managedSessions = [...this.#sessions.values()];
    const state = stateOfSessions(managedSessions) ?? (this.#lastError === undefined ? 'idle' : 'failed');
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = this.#options.clock.wallMs();
    }
    const record = this.#options.versionStore.get(this.server.name);
    return {
      name: this.server.name,
      state,
      ...(record === undefined ? {} : { era: record.era, protocolVersion: record.protocolVersion }),
      sinceMs: this.#sinceMs,
      ...(this.#lastError === undefined
        ? {}
        : { error: this.#lastError.message, failingSinceMs: this.#lastError.sinceMs }),
      failures: this.#failures,
      starts: this.#starts,
      sessions: managedSessions.filter((managedSession) => managedSession.session !== undefined).length,
      activeCalls: this.activeCalls,
      breaker: worstBreakerState([this.#breaker.state, ...managedSessions.map(({ breaker }) => breaker.state)]),
      droppedMessages: this.#droppedMessages,
    };
  }

  /** End of stderr of the last failed process. May hold secrets: show it only to an operator. */
  get stderrTail(): string {
    return this.#stderrTail;
  }

  get activeCalls(): number {
    let calls = 0;
    for (const managedSession of this.#sessions.values()) calls += managedSession.activeCalls;
    return calls;
  }

  /** Ends idle sessions, removes empty ones, and lists again if the server sends no change notifications. */
  sweep(): void {
    const { clock } = this.#options;
    for (const [key, managedSession] of this.#sessions) {
      managedSession.sweep();
      const { session } = managedSession;
      if (managedSession.isEmpty) this.#sessions.delete(key);
      else if (
        session !== undefined &&
        !managedSession.receivesListChanges &&
        clock.wallMs() - session.features.atMs > REFRESH_LIST_MS
      ) {
        void managedSession.refreshList();
      }
    }
  }

  /** Takes no new calls. */
  retire(): void {
    this.#isRetired = true;
  }

  async close(): Promise<void> {
    this.retire();
    const managedSessions = [
      ...this.#sessions.values(),
      ...(this.#discoverySession === undefined ? [] : [this.#discoverySession]),
    ];
    await Promise.all(managedSessions.map((managedSession) => managedSession.close()));
    await this.#config.httpClient?.destroy();
  }

  /** Returns the capabilities that the handshake of a session declares for this call. A modern server gets them with each request instead. */
  #clientCapabilitiesFor({ inputRequests }: DispatchOptions): JsonObject {
    if (this.server.sharing === 'all') return NO_CAPABILITIES;
    if (inputRequests === undefined || Object.keys(inputRequests.capabilities).length === 0) return NO_CAPABILITIES;
    return this.#options.versionStore.get(this.server.name)?.era === 'modern'
      ? NO_CAPABILITIES
      : inputRequests.capabilities;
  }

  #setLastError(message: string): void {
    this.#lastError = { message, sinceMs: this.#lastError?.sinceMs ?? this.#options.clock.wallMs() };
  }

  #newBreaker(): Breaker {
    const { log, clock } = this.#options;
    const server = this.server.name;
    let isOpen = false;
    return new Breaker(clock, (state) => {
      if (state === 'open') {
        if (this.#lastError === undefined) this.#setLastError('half or more of the last ten calls failed');
        // Each failed trial opens the breaker again, which is not worth another log line.
        if (!isOpen) log.warn('breaker.opened', { server });
        isOpen = true;
      } else if (state === 'closed') {
        this.#lastError = undefined;
        isOpen = false;
        log.info('breaker.closed', { server });
      }
    });
  }

  async #discover(): Promise<DiscoveredFeatures | { readonly error: string }> {
    if (this.#isRetired) return { error: 'the server was taken out of service' };
    const isShared = this.server.sharing === 'all';
    const managedSession = isShared
      ? this.#sessionFor(SHARED_KEY, NO_CAPABILITIES)
      : this.#createSession({ isSilent: true, clientCapabilities: this.server.discoveryCapabilities });
    if (!isShared) this.#discoverySession = managedSession;
    const wasOpen = managedSession.session !== undefined;
    let session = await managedSession.open();
    const failure = wasOpen ? await managedSession.refreshList() : undefined;
    // The server lost the session: list in a new one.
    if (failure !== undefined && managedSession.session === undefined) session = await managedSession.open();
    else if (failure !== undefined) return { error: failure };
    if (session.kind === 'failed') return { error: session.detail ?? session.message };
    this.#digest = session.digest;
    if (!isShared) await managedSession.close();
    return session.features;
  }

  #keyOf(principalId: string): string {
    return this.server.sharing === 'all' ? SHARED_KEY : principalId;
  }

  #sessionFor(key: string, clientCapabilities: JsonObject): ManagedSession {
    let managedSession = this.#sessions.get(key);
    if (managedSession === undefined) {
      managedSession = this.#createSession({ isSilent: false, clientCapabilities });
      this.#sessions.set(key, managedSession);
    }
    return managedSession;
  }

  #createSession(discoveryOptions: {
    readonly isSilent: boolean;
    readonly clientCapabilities: JsonObject;
  }): ManagedSession {
    const hasOwnProcess = this.server.transport.type === 'stdio' && this.server.sharing === 'principal';
    const events: ManagedSessionEvents = {
      onOpened: () => {
        this.#starts += 1;
      },
      onListed: (session) => this.#onListed(session, discoveryOptions),
      onListingFailed: (error) => this.#options.onFeaturesChanged(this.server.name, { error }),
      onUpdated: (uri, principalIds) => this.#options.onResourceUpdated(this.server.name, uri, principalIds),
      onDropped: () => {
        this.#droppedMessages += 1;
      },
      onFailure: (message, stderrTail) => {
        this.#failures += 1;
        this.#setLastError(message);
        if (stderrTail !== '') this.#stderrTail = stderrTail;
        const stderrBytes = Buffer.byteLength(stderrTail);
        this.#options.log.warn('upstream.failed', { server: this.server.name, error: message, stderrBytes });
      },
    };
    const breaker = hasOwnProcess ? this.#newBreaker() : this.#breaker;
    return new ManagedSession(this.#config, {
      events,
      breaker,
      clientCapabilities: discoveryOptions.clientCapabilities,
    });
  }

  #onListed(
    session: Session,
    { isSilent, clientCapabilities }: { readonly isSilent: boolean; readonly clientCapabilities: JsonObject },
  ): void {
    if (this.#breaker.isClosed) this.#lastError = undefined;
    if (!isSilent && !this.#matchesDiscoveryCapabilities(clientCapabilities)) {
      const hasChanged = this.#capabilitySessions.hasListChanged(clientCapabilities, session.digest);
      if (hasChanged)
        void this.discover().then((discovered) => this.#options.onFeaturesChanged(this.server.name, discovered));
      return;
    }
    // `discover` returns this listing itself.
    const isDiscovery = isSilent || (this.server.sharing === 'all' && this.#discovery !== undefined);
    if (isDiscovery || session.digest === this.#digest) return;
    this.#digest = session.digest;
    this.#options.onFeaturesChanged(this.server.name, session.features);
  }

  /** True if a client with these capabilities gets the same listing as discovery. */
  #matchesDiscoveryCapabilities(clientCapabilities: JsonObject): boolean {
    return (
      this.server.sharing === 'all' ||
      canonicalJson(clientCapabilities) === canonicalJson(this.server.discoveryCapabilities)
    );
  }
}
