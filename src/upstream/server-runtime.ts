import { createRequire } from 'node:module';
import type { Pool as UndiciPool } from 'undici';
import type { DispatchResult } from '../domain/outcome.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { Digest } from '../lib/digest.ts';
import type { Log } from '../telemetry/log.ts';
import { notSent } from './failed-call.ts';
import type { Outgoing } from './outgoing.ts';
import type { Session, SessionHost } from './session.ts';
import { SessionSlot } from './session-slot.ts';
import type { Observed, UpstreamServer, UpstreamStatus } from './upstream-server.ts';

// The whole of undici is five times the files, most of them for a `fetch` that Node has already: a tenth of a start.
const Pool = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof UndiciPool; // untyped

/** How old a listing of a server without change notifications may become while it is in use. */
const LIST_AGAIN_MS = 60_000;
const SHARED = 'all';

/** Told when a server offers other than it did, or its tools cannot be listed any more. */
export type ToolsChangedListener = (server: string, change: Observed | { readonly error: string }) => void;

export interface ServerRuntimeOptions extends Omit<SessionHost, 'pool'> {
  readonly log: Log;
  readonly onToolsChanged: ToolsChangedListener;
}

/** One tool server in service: its sockets, the sessions of its principals, and what is known of its tools. */
export class ServerRuntime {
  readonly server: UpstreamServer;
  readonly #options: ServerRuntimeOptions;
  readonly #host: SessionHost;
  readonly #slots = new Map<string, SessionSlot>();
  #observer: SessionSlot | undefined;
  #observing: Promise<Observed | { readonly error: string }> | undefined;
  #digest: Digest | undefined;
  #droppedMessages = 0;
  #error: string | undefined;
  #stderrTail = '';
  #state: UpstreamStatus['state'] = 'idle';
  #sinceMs: number;
  #retired = false;

  constructor(options: ServerRuntimeOptions) {
    this.server = options.server;
    this.#options = options;
    const { transport } = options.server;
    const pool = transport.type === 'stdio' ? undefined : new Pool(new URL(transport.url).origin, { allowH2: false });
    this.#host = { ...options, pool };
    this.#sinceMs = options.clock.wallMs();
  }

  call(principalId: string, outgoing: Outgoing, options: { readonly signal: CancelSignal }): Promise<DispatchResult> {
    if (this.#retired) return Promise.resolve(notSent('upstream-unavailable', 'the server was taken out of service'));
    return this.#slot(this.server.sharing === 'all' ? SHARED : principalId).call(outgoing, options);
  }

  /** Asks what the server declares now. With `sharing: principal` in a session of its own that ends right after. */
  observe(): Promise<Observed | { readonly error: string }> {
    this.#observing ??= this.#observe().finally(() => {
      this.#observing = undefined;
    });
    return this.#observing;
  }

  get status(): UpstreamStatus {
    const state = this.#currentState();
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = this.#options.clock.wallMs();
    }
    const record = this.#options.eraMemory.get(this.server.name);
    const slots = [...this.#slots.values()];
    return {
      name: this.server.name,
      state,
      ...(record === undefined ? {} : { era: record.era, protocolVersion: record.protocolVersion }),
      sinceMs: this.#sinceMs,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      sessions: slots.filter((slot) => slot.session !== undefined).length,
      activeCalls: this.activeCalls,
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
      slot.endIfIdle();
      const { session } = slot;
      if (slot.isEmpty) this.#slots.delete(key);
      else if (session?.hands.era === 'modern' && clock.wallMs() - session.observed.atMs > LIST_AGAIN_MS)
        void slot.listAgain();
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
    await this.#host.pool?.destroy();
  }

  async #observe(): Promise<Observed | { readonly error: string }> {
    if (this.#retired) return { error: 'the server was taken out of service' };
    const shared = this.server.sharing === 'all';
    const slot = shared ? this.#slot(SHARED) : this.#newSlot({ silent: true });
    if (!shared) this.#observer = slot;
    const wasOpen = slot.session !== undefined;
    const session = await slot.open();
    if (session.kind === 'failed') return { error: session.detail ?? session.message };
    if (wasOpen) await slot.listAgain();
    this.#digest = session.digest;
    if (!shared) await slot.close();
    return session.observed;
  }

  #slot(key: string): SessionSlot {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#newSlot({ silent: false });
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #newSlot(how: { readonly silent: boolean }): SessionSlot {
    return new SessionSlot(this.#host, {
      onListed: (session) => this.#onListed(session, how.silent),
      onListingFailed: (error) => this.#options.onToolsChanged(this.server.name, { error }),
      onDropped: () => {
        this.#droppedMessages += 1;
      },
      onFailure: (message, stderrTail) => {
        this.#error = message;
        if (stderrTail !== '') this.#stderrTail = stderrTail;
        const stderrBytes = Buffer.byteLength(stderrTail);
        this.#options.log.warn('upstream.failed', { server: this.server.name, error: message, stderrBytes });
      },
    });
  }

  #onListed(session: Session, silent: boolean): void {
    this.#error = undefined;
    // What `observe` asked for it returns itself.
    const asked = silent || (this.server.sharing === 'all' && this.#observing !== undefined);
    if (asked || session.digest === this.#digest) return;
    this.#digest = session.digest;
    this.#options.onToolsChanged(this.server.name, session.observed);
  }

  #currentState(): UpstreamStatus['state'] {
    const slots = [...this.#slots.values()];
    if (slots.some((slot) => slot.session !== undefined)) return 'ready';
    if (slots.some((slot) => slot.isStarting)) return 'starting';
    if (slots.some((slot) => slot.isBackingOff)) return 'backing-off';
    return this.#error === undefined ? 'idle' : 'failed';
  }
}
