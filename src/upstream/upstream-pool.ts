import type { Call } from '../domain/call.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { ResourceTarget } from '../domain/target.ts';
import type { Ids } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import { notSent } from './call/dispatch-result.ts';
import { childTraceparent } from './call/upstream-request.ts';
import type { ClientInfo } from './protocol/encode-request.ts';
import type { VersionStore } from './protocol/versions.ts';
import { type FeaturesChangedListener, type ResourceUpdatedListener, ServerRuntime } from './server-runtime.ts';
import type { DiscoveredFeatures, UpstreamServer } from './session/upstream-server.ts';
import type { UpstreamStatus } from './upstream-status.ts';

const SWEEP_MS = 1_000;

export interface UpstreamPoolOptions {
  readonly clock: Clock;
  /** Source of the parent ids of trace contexts. */
  readonly ids: Ids;
  readonly log: Log;
  readonly versionStore: VersionStore;
  readonly clientInfo: ClientInfo;
  /** Environment of the broker. Child processes get only harmless variables of it, such as `PATH` and `HOME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called when a session lists other features than before, or cannot list any. Not called for the result of `discover`. */
  readonly onFeaturesChanged: FeaturesChangedListener;
  /** Called when a resource with subscribers changed or may have changed. */
  readonly onResourceUpdated: ResourceUpdatedListener;
}

/** All tool servers in service, by name. */
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
   * Sends a call to its tool server and returns its outcome, at most `timeoutMs` of the target after the session is ready.
   * Never rejects because of what a server does. Rejects if the target cannot be dispatched, which is a defect.
   */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult> {
    const { target, action, args } = call;
    if (target.kind === 'unknown' || target.kind === 'server') {
      return Promise.reject(new Error(`a call to ${target.id} was dispatched`));
    }
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

  /** Notifies the sessions that received the roots of this legacy client that they changed. */
  rootsChanged(principalId: string, session: string): void {
    for (const runtime of this.#runtimes.values()) runtime.rootsChanged({ principalId, session });
  }

  /** Ends the subscription of a principal to a resource. */
  unsubscribe(principalId: string, { server, uri }: ResourceTarget): void {
    this.#runtimes.get(server)?.unsubscribe(principalId, uri);
  }

  /** Lists the features of one server, and starts it first if needed. Never rejects: a failure is an `error`. */
  async discover(server: string): Promise<DiscoveredFeatures | { readonly error: string }> {
    return (await this.#runtimes.get(server)?.discover()) ?? { error: 'the server is not in service' };
  }

  /** Returns the status of every server, sorted by name. */
  status(): readonly UpstreamStatus[] {
    return [...this.#runtimes.values()].map((runtime) => runtime.status).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Returns the end of stderr of the last failed process of a server, at most 64 KB. May hold secrets: never log it. */
  stderrTail(server: string): string {
    return this.#runtimes.get(server)?.stderrTail ?? '';
  }

  /**
   * Puts exactly these servers into service. A server with the same `revision` keeps its sessions. Any other server that
   * was in service takes no new calls, and is closed when its calls have ended.
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

  /** Ends every session and process. A call in flight is lost and in doubt. */
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
