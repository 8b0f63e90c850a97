import type { Call } from '../domain/call.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { ResourceTarget } from '../domain/target.ts';
import type { Ids } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import { notSent } from './call/call-result.ts';
import { childTraceparent } from './call/upstream-request.ts';
import type { ClientInfo } from './protocol/encode-request.ts';
import type { VersionStore } from './protocol/versions.ts';
import { type FeaturesChangedListener, type ResourceUpdatedListener, ServerRuntime } from './server-runtime.ts';
import type { DiscoveredFeatures, UpstreamServer } from './session/upstream-server.ts';
import type { UpstreamStatus } from './upstream-status.ts';

const SWEEP_MS = 1_000;

export interface UpstreamPoolOptions {
  readonly clock: Clock;
  /** Where the parent ids of trace contexts come from. */
  readonly ids: Ids;
  readonly log: Log;
  readonly versionStore: VersionStore;
  readonly clientInfo: ClientInfo;
  /** The broker's own environment variables; child processes get `PATH`, `HOME` and the like of them and no other. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told when a session lists other tools than were known, or can list none. Not told of what `observe` returns. */
  readonly onFeaturesChanged: FeaturesChangedListener;
  /** Told when a resource changed that principals are subscribed to. */
  readonly onResourceUpdated: ResourceUpdatedListener;
}

/** The back door: every way to every tool server. */
export class UpstreamPool {
  readonly #options: UpstreamPoolOptions;
  readonly #runtimes = new Map<string, ServerRuntime>();
  readonly #draining = new Set<ServerRuntime>();
  readonly #sweepTimer: NodeJS.Timeout;
  #closed = false;

  constructor(servers: readonly UpstreamServer[], options: UpstreamPoolOptions) {
    this.#options = options;
    this.applyServers(servers);
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweepTimer.unref();
  }

  /**
   * Sends a call to its tool server and waits for what comes back, at most for the target's `timeoutMs` after the
   * session is ready. MUST NOT reject for anything that a tool server does; rejects for a call to what does not exist.
   */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult> {
    const { target, action, args } = call;
    if (target.kind === 'unknown' || target.kind === 'server') {
      return Promise.reject(new Error('a call to what does not exist was dispatched'));
    }
    if (options.signal.aborted)
      return Promise.resolve(notSent('cancelled', 'the call was cancelled before it was sent'));
    const runtime = this.#runtimes.get(target.server);
    if (runtime === undefined) return Promise.resolve(notSent('upstream-unavailable', 'the server is not in service'));
    const caller = { principalId: call.principal.id, session: call.context.session };
    const { traceparent } = call.context;
    const request =
      traceparent === undefined
        ? { target, action, args }
        : { target, action, args, traceparent: childTraceparent(traceparent, this.#options.ids) };
    return action === 'subscribe'
      ? runtime.subscribe(caller, request, options)
      : runtime.call(caller, request, options);
  }

  /** The roots of a legacy client changed: told to the sessions that were told of its roots, and to no other. */
  rootsChanged(principalId: string, session: string): void {
    for (const runtime of this.#runtimes.values()) runtime.rootsChanged({ principalId, session });
  }

  /** A principal wants to hear of a resource no more. */
  unsubscribe(principalId: string, { server, uri }: ResourceTarget): void {
    this.#runtimes.get(server)?.unsubscribe(principalId, uri);
  }

  /** Asks one server what it declares, starting it where needed. A server that cannot tell is an `error`, not a rejection. */
  async discover(server: string): Promise<DiscoveredFeatures | { readonly error: string }> {
    return (await this.#runtimes.get(server)?.discover()) ?? { error: 'the server is not in service' };
  }

  /** How every server is doing, by name. */
  status(): readonly UpstreamStatus[] {
    return [...this.#runtimes.values()].map((runtime) => runtime.status).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What the last failed process of a server wrote to stderr, at most 64 KB. May hold secrets: never log it. */
  stderrTail(server: string): string {
    return this.#runtimes.get(server)?.stderrTail ?? '';
  }

  /**
   * Puts exactly these servers into service. One whose `revision` stays keeps its sessions; any other that was in
   * service takes no new calls and is ended when its calls have ended, which their deadlines see to.
   */
  applyServers(servers: readonly UpstreamServer[]): void {
    if (this.#closed) return;
    const serversByName = new Map(servers.map((server) => [server.name, server]));
    for (const [name, runtime] of this.#runtimes) {
      const next = serversByName.get(name);
      if (next?.revision === runtime.server.revision) continue;
      this.#runtimes.delete(name);
      if (next !== undefined) this.#addServer(next).inheritSubscriptions(runtime);
      runtime.retire();
      this.#draining.add(runtime);
      this.#closeIfIdle(runtime);
    }
    for (const server of servers) {
      if (!this.#runtimes.has(server.name)) this.#addServer(server);
    }
  }

  #addServer(server: UpstreamServer): ServerRuntime {
    const runtime = new ServerRuntime({ ...this.#options, server });
    this.#runtimes.set(server.name, runtime);
    return runtime;
  }

  /** Ends every session and process. A call that is still under way is lost and in doubt: drain before. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweepTimer);
    const runtimes = [...this.#runtimes.values(), ...this.#draining];
    this.#runtimes.clear();
    this.#draining.clear();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
  }

  #sweep(): void {
    for (const runtime of this.#runtimes.values()) runtime.sweep();
    for (const runtime of this.#draining) this.#closeIfIdle(runtime);
  }

  #closeIfIdle(runtime: ServerRuntime): void {
    if (runtime.activeCalls > 0) return;
    this.#draining.delete(runtime);
    void runtime.close();
  }
}
