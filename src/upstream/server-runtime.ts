import type { DispatchResult } from '../domain/outcome.ts';
import { upstreamName } from '../domain/target.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Log } from '../telemetry/log.ts';
import { Breaker, breakerPosture } from './breaker.ts';
import { notSent } from './failed-call.ts';
import { HttpSockets } from './mcp/http-sockets.ts';
import type { Outgoing } from './outgoing.ts';
import type { Session, SessionHost } from './session.ts';
import { type Caller, sessionKey, TOLD_NOTHING } from './session-key.ts';
import { SessionSlot } from './session-slot.ts';
import type { CallOptions, SessionSlotEvents } from './slot-events.ts';
import { stateOfSlots, worstState } from './slots-status.ts';
import { ToldSessions } from './told-sessions.ts';
import type { Observed, UpstreamServer, UpstreamStatus } from './upstream-server.ts';

/** How old a listing of a server without change notifications may become while it is in use. */
const LIST_AGAIN_MS = 60_000;
const SHARED = 'all';

/** Told when a server offers other than it did, or its tools cannot be listed any more. */
export type ToolsChangedListener = (server: string, change: Observed | { readonly error: string }) => void;

/** Told that a resource of a server changed, or may have, and who is subscribed to it. */
export type ResourceUpdatedListener = (server: string, uri: string, principalIds: readonly string[]) => void;

export interface ServerRuntimeOptions extends Omit<SessionHost, 'sockets'> {
  readonly log: Log;
  readonly onResourceUpdated: ResourceUpdatedListener;
  readonly onToolsChanged: ToolsChangedListener;
}

/** One tool server in service: its sockets, the sessions of its principals, and what is known of its tools. */
export class ServerRuntime {
  readonly server: UpstreamServer;
  readonly #options: ServerRuntimeOptions;
  readonly #host: SessionHost;
  readonly #slots = new Map<string, SessionSlot>();
  /** Of all slots, except where each has a process of its own. */
  readonly #breaker: Breaker;
  #observer: SessionSlot | undefined;
  #observing: Promise<Observed | { readonly error: string }> | undefined;
  #digest: Digest | undefined;
  readonly #toldSessions: ToldSessions;
  #droppedMessages = 0;
  #trouble: { readonly message: string; readonly sinceMs: number } | undefined;
  #failures = 0;
  #starts = 0;
  #stderrTail = '';
  #state: UpstreamStatus['state'] = 'idle';
  #sinceMs: number;
  #retired = false;

  constructor(options: ServerRuntimeOptions) {
    this.server = options.server;
    this.#options = options;
    const { transport } = options.server;
    const sockets =
      transport.type === 'stdio' ? undefined : new HttpSockets(new URL(transport.url).origin, options.server);
    this.#host = { ...options, sockets };
    this.#sinceMs = options.clock.wallMs();
    this.#breaker = this.#newBreaker();
    this.#toldSessions = new ToldSessions(this.#slots, { leased: transport.type !== 'streamable-http' });
  }

  call(caller: Caller, outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    if (this.#retired) return Promise.resolve(notSent('upstream-unavailable', 'the server was taken out of service'));
    if (this.server.sharing === 'all') return this.#callIn(this.#slot(SHARED, TOLD_NOTHING), outgoing, options);
    const told = this.#told(options);
    const key = sessionKey(caller, told);
    if (told === TOLD_NOTHING) return this.#callIn(this.#slot(key, told), outgoing, options);
    const limits = {
      signal: options.signal,
      timeoutMs: outgoing.target.timeoutMs,
      giveWay: () => options.asking?.giveWay() === true,
    };
    return this.#toldSessions.use({ principalId: caller.principalId, key }, limits, (place) =>
      this.#callIn(this.#slot(place, told), outgoing, options),
    );
  }

  /** The roots of a legacy client changed. */
  rootsChanged(caller: Caller): void {
    this.#toldSessions.rootsChanged(caller);
  }

  /** Asks the server to tell a principal of a resource from now on. */
  async subscribe(caller: Caller, outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    const { principalId } = caller;
    const came = await this.call(caller, outgoing, options);
    if (came.kind !== 'completed') return came;
    this.#slot(this.#keyOf(principalId), TOLD_NOTHING).hold(upstreamName(outgoing.target), principalId);
    // What a server says beside yes is for nobody.
    return { kind: 'completed', result: {}, resultBytes: 2 };
  }

  /** Takes over what principals are subscribed to from the runtime of another revision of this server. */
  adoptFrom(previous: ServerRuntime): void {
    for (const slot of previous.#slots.values()) {
      for (const [uri, principalIds] of slot.held) {
        for (const principalId of principalIds)
          this.#slot(this.#keyOf(principalId), TOLD_NOTHING).hold(uri, principalId);
      }
    }
  }

  unsubscribe(principalId: string, uri: string): void {
    this.#slots.get(this.#keyOf(principalId))?.release(uri, principalId);
  }

  /** Asks what the server declares now. With `sharing: principal` in a session of its own that ends right after. */
  observe(): Promise<Observed | { readonly error: string }> {
    this.#observing ??= this.#observe().finally(() => {
      this.#observing = undefined;
    });
    return this.#observing;
  }

  get status(): UpstreamStatus {
    const slots = [...this.#slots.values()];
    const state = stateOfSlots(slots) ?? (this.#trouble === undefined ? 'idle' : 'failed');
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = this.#options.clock.wallMs();
    }
    const record = this.#options.eraMemory.get(this.server.name);
    return {
      name: this.server.name,
      state,
      ...(record === undefined ? {} : { era: record.era, protocolVersion: record.protocolVersion }),
      sinceMs: this.#sinceMs,
      ...(this.#trouble === undefined ? {} : { error: this.#trouble.message, failingSinceMs: this.#trouble.sinceMs }),
      failures: this.#failures,
      starts: this.#starts,
      sessions: slots.filter((slot) => slot.session !== undefined).length,
      activeCalls: this.activeCalls,
      breaker: worstState([this.#breaker.state, ...slots.map(({ breaker }) => breaker.state)]),
      droppedMessages: this.#droppedMessages,
    };
  }

  /** What a process of this server wrote to stderr last before it failed. May hold anything: for an operator's eyes only. */
  get stderrTail(): string {
    return this.#stderrTail;
  }

  get activeCalls(): number {
    let calls = 0;
    for (const slot of this.#slots.values()) calls += slot.activeCalls;
    return calls;
  }

  /** Ends idle sessions, forgets empty slots, and lists again where no notification would tell of a change. */
  sweep(): void {
    const { clock } = this.#options;
    for (const [key, slot] of this.#slots) {
      slot.sweep();
      const { session } = slot;
      if (slot.isEmpty) this.#slots.delete(key);
      else if (session !== undefined && !slot.hearsLists && clock.wallMs() - session.observed.atMs > LIST_AGAIN_MS) {
        void slot.listAgain();
      }
    }
  }

  /** Takes no new calls. */
  retire(): void {
    this.#retired = true;
  }

  async close(): Promise<void> {
    this.retire();
    const slots = [...this.#slots.values(), ...(this.#observer === undefined ? [] : [this.#observer])];
    await Promise.all(slots.map((slot) => slot.close()));
    await this.#host.sockets?.destroy();
  }

  /** What the handshake of a session says for this call; a modern server is told with each request, and by no handshake. */
  #told({ asking }: CallOptions): JsonObject {
    if (asking === undefined || Object.keys(asking.capabilities).length === 0) return TOLD_NOTHING;
    return this.#options.eraMemory.get(this.server.name)?.era === 'modern' ? TOLD_NOTHING : asking.capabilities;
  }

  #callIn(slot: SessionSlot, outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    return slot.breaker.isClosed ? slot.call(outgoing, options) : this.#tryCall(slot, outgoing, options);
  }

  /** One call tries a server that failed; the others are told at once. */
  #tryCall(slot: SessionSlot, outgoing: Outgoing, options: CallOptions): Promise<DispatchResult> {
    const waitMs = slot.breaker.tryAfterMs();
    if (waitMs > 0) {
      const message = `\`${this.server.name}\` failed repeatedly; nothing is sent to it for a moment`;
      return Promise.resolve(notSent(breakerPosture.yields, message, waitMs));
    }
    return slot.call(outgoing, options).finally(() => slot.breaker.endTrial());
  }

  #noteTrouble(message: string): void {
    this.#trouble = { message, sinceMs: this.#trouble?.sinceMs ?? this.#options.clock.wallMs() };
  }

  #newBreaker(): Breaker {
    const { log, clock } = this.#options;
    const server = this.server.name;
    let isShut = false;
    return new Breaker(clock, (state) => {
      if (state === 'open') {
        if (this.#trouble === undefined) this.#noteTrouble('of the last ten calls half or more failed');
        // Each call that tries in vain opens it anew, which is no news.
        if (!isShut) log.warn('upstream.shut', { server });
        isShut = true;
      } else if (state === 'closed') {
        this.#trouble = undefined;
        isShut = false;
        log.info('upstream.returned', { server });
      }
    });
  }

  async #observe(): Promise<Observed | { readonly error: string }> {
    if (this.#retired) return { error: 'the server was taken out of service' };
    const shared = this.server.sharing === 'all';
    const slot = shared ? this.#slot(SHARED, TOLD_NOTHING) : this.#newSlot({ silent: true, told: this.server.asks });
    if (!shared) this.#observer = slot;
    const wasOpen = slot.session !== undefined;
    let session = await slot.open();
    const failure = wasOpen ? await slot.listAgain() : undefined;
    // The server forgot the session: what it declares now is learnt in a new one.
    if (failure !== undefined && slot.session === undefined) session = await slot.open();
    else if (failure !== undefined) return { error: failure };
    if (session.kind === 'failed') return { error: session.detail ?? session.message };
    this.#digest = session.digest;
    if (!shared) await slot.close();
    return session.observed;
  }

  #keyOf(principalId: string): string {
    return this.server.sharing === 'all' ? SHARED : principalId;
  }

  #slot(key: string, told: JsonObject): SessionSlot {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#newSlot({ silent: false, told });
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #newSlot(how: { readonly silent: boolean; readonly told: JsonObject }): SessionSlot {
    const ownProcess = this.server.transport.type === 'stdio' && this.server.sharing === 'principal';
    const events: SessionSlotEvents = {
      onOpened: () => {
        this.#starts += 1;
      },
      onListed: (session) => this.#onListed(session, how),
      onListingFailed: (error) => this.#options.onToolsChanged(this.server.name, { error }),
      onUpdated: (uri, principalIds) => this.#options.onResourceUpdated(this.server.name, uri, principalIds),
      onDropped: () => {
        this.#droppedMessages += 1;
      },
      onFailure: (message, stderrTail) => {
        this.#failures += 1;
        this.#noteTrouble(message);
        if (stderrTail !== '') this.#stderrTail = stderrTail;
        const stderrBytes = Buffer.byteLength(stderrTail);
        this.#options.log.warn('upstream.failed', { server: this.server.name, error: message, stderrBytes });
      },
    };
    const breaker = ownProcess ? this.#newBreaker() : this.#breaker;
    return new SessionSlot(this.#host, { events, breaker, told: how.told });
  }

  #onListed(session: Session, { silent, told }: { readonly silent: boolean; readonly told: JsonObject }): void {
    if (this.#breaker.isClosed) this.#trouble = undefined;
    if (!silent && !this.#isObservers(told)) {
      const hasChanged = this.#toldSessions.listsOtherwise(told, session.digest);
      if (hasChanged) void this.observe().then((seen) => this.#options.onToolsChanged(this.server.name, seen));
      return;
    }
    // What `observe` asked for it returns itself.
    const asked = silent || (this.server.sharing === 'all' && this.#observing !== undefined);
    if (asked || session.digest === this.#digest) return;
    this.#digest = session.digest;
    this.#options.onToolsChanged(this.server.name, session.observed);
  }

  /** True where a server lists to clients of these capabilities what it lists to whom asks on everybody's behalf. */
  #isObservers(told: JsonObject): boolean {
    return this.server.sharing === 'all' || canonicalJson(told) === canonicalJson(this.server.asks);
  }
}
