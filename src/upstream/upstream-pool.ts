import type { Call } from '../domain/call.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { ResourceTarget } from '../domain/target.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import type { Log } from '../telemetry/log.ts';
import { childTraceparent } from './child-trace.ts';
import type { EraMemory } from './era.ts';
import { notSent } from './failed-call.ts';
import type { ClientInfo } from './mcp/message-dress.ts';
import { type ResourceUpdatedListener, ServerRuntime, type ToolsChangedListener } from './server-runtime.ts';
import type { CallOptions } from './slot-events.ts';
import type { Observed, UpstreamServer, UpstreamStatus } from './upstream-server.ts';

const SWEEP_MS = 1_000;

export interface UpstreamPoolOptions {
  readonly clock: Clock;
  /** Where the parent ids of trace contexts come from. */
  readonly ids: Ids;
  readonly log: Log;
  readonly eraMemory: EraMemory;
  readonly clientInfo: ClientInfo;
  /** The broker's own environment variables; child processes get `PATH`, `HOME` and the like of them and no other. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told when a session lists other tools than were known, or can list none. Not told of what `observe` returns. */
  readonly onToolsChanged: ToolsChangedListener;
  /** Told when a resource changed that principals are subscribed to. */
  readonly onResourceUpdated: ResourceUpdatedListener;
}

/** The back door: every way to every tool server. */
export class UpstreamPool {
  readonly #options: UpstreamPoolOptions;
  readonly #runtimes = new Map<string, ServerRuntime>();
  readonly #leaving = new Set<ServerRuntime>();
  readonly #sweeping: NodeJS.Timeout;
  #closed = false;

  constructor(servers: readonly UpstreamServer[], options: UpstreamPoolOptions) {
    this.#options = options;
    this.applyServers(servers);
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /**
   * Sends a call to its tool server and waits for what comes back, at most for the target's `timeoutMs` after the
   * session is ready. MUST NOT reject for anything that a tool server does; rejects for a call to what does not exist.
   */
  dispatch(call: Call, options: CallOptions): Promise<DispatchResult> {
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
    const outgoing =
      traceparent === undefined
        ? { target, action, args }
        : { target, action, args, traceparent: childTraceparent(traceparent, this.#options.ids) };
    return action === 'subscribe'
      ? runtime.subscribe(caller, outgoing, options)
      : runtime.call(caller, outgoing, options);
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
  async observe(server: string): Promise<Observed | { readonly error: string }> {
    return (await this.#runtimes.get(server)?.observe()) ?? { error: 'the server is not in service' };
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
    const wanted = new Map(servers.map((server) => [server.name, server]));
    for (const [name, runtime] of this.#runtimes) {
      const next = wanted.get(name);
      if (next?.revision === runtime.server.revision) continue;
      this.#runtimes.delete(name);
      if (next !== undefined) this.#enter(next).adoptFrom(runtime);
      runtime.retire();
      this.#leaving.add(runtime);
      this.#endIfDone(runtime);
    }
    for (const server of servers) {
      if (!this.#runtimes.has(server.name)) this.#enter(server);
    }
  }

  #enter(server: UpstreamServer): ServerRuntime {
    const runtime = new ServerRuntime({ ...this.#options, server });
    this.#runtimes.set(server.name, runtime);
    return runtime;
  }

  /** Ends every session and process. A call that is still under way is lost and in doubt: drain before. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    const runtimes = [...this.#runtimes.values(), ...this.#leaving];
    this.#runtimes.clear();
    this.#leaving.clear();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
  }

  #sweep(): void {
    for (const runtime of this.#runtimes.values()) runtime.sweep();
    for (const runtime of this.#leaving) this.#endIfDone(runtime);
  }

  #endIfDone(runtime: ServerRuntime): void {
    if (runtime.activeCalls > 0) return;
    this.#leaving.delete(runtime);
    void runtime.close();
  }
}
