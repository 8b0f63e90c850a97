import type { FailureMode } from '../domain/failure-mode.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { authenticate } from '../identity/authenticate.ts';
import { principalForOsUser } from '../identity/principal.ts';
import { type HttpServer, openHttpServer } from '../ingress/http-server.ts';
import type { McpDeps } from '../ingress/mcp/methods/services.ts';
import type { Readiness } from '../ingress/probes.ts';
import { openSocketServer, type SocketServer } from '../ingress/socket/socket-server.ts';
import type { SuspendedCallLimits } from '../input-required/suspended-call-store.ts';
import type { Log } from '../telemetry/log.ts';
import { type AdminApi, openAdminApi } from './admin/admin-api.ts';
import { type DaemonSummary, serversByState, summarize } from './admin/daemon-summary.ts';
import { type BrokerCore, composeCore } from './compose.ts';
import { undiscoveredServers } from './runtime/discovery-scheduler.ts';
import { directorySignature, watchDirectories, watchEventLoop } from './runtime/watch.ts';
import { type Settings, socketPathOf } from './settings.ts';

export interface DaemonOptions {
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lifetime of input requests of tool servers, and calls of one agent that may be suspended. */
  readonly inputRequestLimits?: Partial<SuspendedCallLimits>;
  /** True to listen over HTTP as well as on the socket. */
  readonly http: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Agent to create a key for if the data directory has no key. */
  readonly firstKeyFor?: string;
  /** Calls that may be in progress at one time. Default: 1,024. */
  readonly maxCalls?: number | undefined;
  /** Ends the daemon after this time without an agent on its socket. Default: never. */
  readonly idleExitMs?: number;
}

/** A running broker with its listeners. */
export interface Daemon {
  summary(): DaemonSummary;
  /** Accepts no new calls, drains those in progress, records the stop, and releases the data directory. Never rejects. */
  close(): Promise<void>;
  /** Resolves when the daemon has closed; rejects when it has closed and its last state could not be written. */
  readonly ended: Promise<void>;
}

export const addressFailureMode: FailureMode<'settings-invalid'> = {
  control: 'listening address',
  trigger: 'the address is not loopback and no host name is allowed',
  result: 'settings-invalid',
  means: 'the broker does not start',
  override: '`serve --allow-host <name>`',
};

/** Time that calls in progress get to end when the daemon is stopped. */
const DRAIN_MS = 10_000;
/** Longest wait for the first list of a server without pins: an empty list would look like a refusal. */
const INITIAL_DISCOVERY_MS = 10_000;
const LIST_TTL_MS = 30_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Starts a broker: data directory, snapshot, upstreams, then listeners. @throws ProblemError. */
export async function startDaemon(settings: Settings, options: DaemonOptions): Promise<Daemon> {
  rejectPublicBind(settings, options);
  const signature = await directorySignature([settings.registry, settings.policies]);
  const core = await composeCore(settings, options);
  let stopEventLoopWatch = (): void => {};
  const stopFileWatch = watchDirectories([settings.registry, settings.policies], signature, () =>
    core.snapshots.reload(),
  );
  const stopWatching = (): void => {
    stopFileWatch();
    stopEventLoopWatch();
  };
  const closers: (() => Promise<void>)[] = [];
  try {
    const daemon = await openListeners(core, settings, { ...options, stopWatching, closers });
    // Not earlier: startup blocks the event loop, and no agent waits yet.
    stopEventLoopWatch = watchEventLoop(options.log);
    return daemon;
  } catch (error) {
    stopWatching();
    // Close listeners first, or the process would keep accepting agents.
    for (const close of closers) await close();
    await core.close('failed to start');
    throw error;
  }
}

async function openListeners(
  core: BrokerCore,
  settings: Settings,
  options: DaemonOptions & { readonly stopWatching: () => void; readonly closers: (() => Promise<void>)[] },
): Promise<Daemon> {
  await initialDiscovery(core);
  let http: HttpServer | undefined;
  const admin = openAdminApi(core, {
    http: () => (http === undefined ? null : { host: http.host, port: http.port }),
  });
  let isOpen = true;
  // A failed server does not make the broker unready: a load balancer would cut agents off from all other servers too.
  const ready = (): Readiness => ({ ready: isOpen, servers: serversByState(core) });
  const ports: McpDeps = {
    broker: core.broker,
    clock: core.clock,
    ids: core.ids,
    log: options.log,
    version: options.version,
    listTtlMs: LIST_TTL_MS,
  };
  // The timer may fire after an agent has connected: only a daemon without agents is idle.
  const idle = idleExit(options.idleExitMs, () => {
    if (socket.connections === 0) void close();
  });
  const socket = await openAgentSocket({ core, settings, ports, admin, onIdle: idle.arm });
  options.closers.push(() => socket.close({ drainMs: 0 }));
  http = options.http ? await openHttp(core, { settings, options, ports, ready }) : undefined;
  if (http) options.closers.push(() => http.close({ drainMs: 0 }));
  // Last: a key is shown once, and a start that fails later would lose it.
  const firstKey = options.firstKeyFor === undefined ? undefined : await admin.createFirstKey(options.firstKeyFor);
  let resolveEnded: (closing: Promise<void>) => void = () => {};
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      isOpen = false;
      idle.stop();
      options.stopWatching();
      await Promise.all([socket.close({ drainMs: DRAIN_MS }), http?.close({ drainMs: DRAIN_MS })]);
      await core.close('asked to stop');
    })();
    resolveEnded(closing);
    return closing.catch(() => {});
  };
  idle.arm();
  return { summary: () => summarize(core, { firstKey, http }), close, ended };
}

async function initialDiscovery(core: BrokerCore): Promise<void> {
  core.discovery.start();
  const undiscovered = undiscoveredServers(core.snapshots.registry, core.snapshots.catalog);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, INITIAL_DISCOVERY_MS);
  });
  await Promise.race([Promise.all(undiscovered.map((name) => core.discovery.discover(name))), deadline]);
  clearTimeout(timer);
}

function openAgentSocket(deps: {
  readonly core: BrokerCore;
  readonly settings: Settings;
  readonly ports: McpDeps;
  readonly admin: AdminApi;
  readonly onIdle: () => void;
}): Promise<SocketServer> {
  const { core, settings, ports, admin, onIdle } = deps;
  const uid = process.getuid?.() ?? 0;
  return openSocketServer({
    ...ports,
    path: socketPathOf(settings, uid),
    principalOf: (agent) => principalForOsUser(agent, uid, core.snapshots.agentOf),
    admin: (method, params) => admin.handle(method, params),
    onIdle,
  });
}

function openHttp(
  core: BrokerCore,
  {
    settings,
    options,
    ports,
    ready,
  }: { settings: Settings; options: DaemonOptions; ports: McpDeps; ready: () => Readiness },
): Promise<HttpServer> {
  const verifier = { keyOf: (id: string) => core.keys.get(id), agentOf: core.snapshots.agentOf, clock: core.clock };
  return openHttpServer({
    ...ports,
    authenticate: (headers, connection) => {
      const result = authenticate(headers, verifier, connection);
      if (!result.ok) options.log.warn('auth.failed', { reason: result.reason });
      return result;
    },
    host: settings.host,
    port: settings.port,
    allowedHosts: options.allowedHosts,
    allowedOrigins: options.allowedOrigins,
    getReadiness: ready,
  });
}

/** Timer that ends a background daemon after `afterMs` without agents. */
function idleExit(
  afterMs: number | undefined,
  end: () => void,
): { readonly arm: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = afterMs === undefined;
  return {
    arm: () => {
      clearTimeout(timer);
      // Closing ends streams, which would arm the timer again.
      if (!isStopped) timer = setTimeout(end, afterMs);
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** On an address that is not loopback, allowed host names are required: without them DNS rebinding would succeed. */
function rejectPublicBind(settings: Settings, options: DaemonOptions): void {
  if (!options.http || LOOPBACK.test(settings.host) || options.allowedHosts.length > 0) return;
  const problem: Problem = {
    code: addressFailureMode.result,
    at: '--host',
    message: `\`${settings.host}\` is reachable from other machines and no host name is allowed`,
    hint: 'pass `--allow-host` with each host name that agents use, and put a TLS proxy in front of the broker',
  };
  throw new ProblemError([problem]);
}
