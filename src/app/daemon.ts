import type { PostureRow } from '../domain/posture.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { authenticate } from '../identity/authenticate.ts';
import { principalOfOsUser } from '../identity/os-user.ts';
import type { Readiness } from '../ingress/cold-routes.ts';
import { type HttpIngress, openHttpIngress } from '../ingress/http.ts';
import type { McpPorts } from '../ingress/mcp/services.ts';
import { openSocketIngress, type SocketIngress } from '../ingress/socket.ts';
import type { SuspensionLimits } from '../questions/suspensions.ts';
import type { Log } from '../telemetry/log.ts';
import { type Administration, openAdministration } from './administration.ts';
import { type BrokerCore, openCore } from './compose.ts';
import { watchLoop } from './loop-watch.ts';
import { unknownServers } from './observer.ts';
import { serversByState } from './server-health.ts';
import { type Settings, socketPathOf } from './settings.ts';
import { type DaemonSummary, summaryOf } from './summary.ts';
import { signatureOf, watchDirectories } from './watch.ts';

export interface DaemonOptions {
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long questions of tool servers wait for answers, and how many calls of one agent wait for them. */
  readonly questions?: Partial<SuspensionLimits>;
  /** Whether to listen over HTTP as well. */
  readonly http: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Agent to make a key for when there is none yet. */
  readonly firstKeyFor?: string;
  /** Calls that may be under way at one time. Default: 1,024. */
  readonly maxCalls?: number | undefined;
  /** Ends the daemon after so long without an agent on its socket. */
  readonly idleExitMs?: number;
}

/** A broker that serves. */
export interface Daemon {
  summary(): DaemonSummary;
  /** Takes no new calls, lets those under way end, records the stop, and releases the data directory. Never rejects. */
  close(): Promise<void>;
  /** Resolves when it has closed; rejects when it has closed and its last state could not be written. */
  readonly ended: Promise<void>;
}

export const addressPosture: PostureRow<'settings-invalid'> = {
  guard: 'listening address',
  when: 'it is beyond loopback and no host name is allowed',
  yields: 'settings-invalid',
  means: 'the broker does not start',
  opens: '`serve --allow-host <name>`',
};

/** Calls under way get so long to end when the daemon is stopped. */
const DRAIN_MS = 10_000;
/** A first list is waited for so long when nothing is known of a server: an empty list would look like a refusal. */
const FIRST_LIST_MS = 10_000;
const LIST_TTL_MS = 30_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Opens everything from the data directory to the doors, in this order. @throws ProblemError. */
export async function startDaemon(settings: Settings, options: DaemonOptions): Promise<Daemon> {
  refuseWideOpen(settings, options);
  const loaded = await signatureOf([settings.registry, settings.policies]);
  const core = await openCore(settings, options);
  let stopLoopWatch = (): void => {};
  const stopFileWatch = watchDirectories([settings.registry, settings.policies], loaded, () => core.standing.reload());
  const stopWatching = (): void => {
    stopFileWatch();
    stopLoopWatch();
  };
  const opened: (() => Promise<void>)[] = [];
  try {
    const daemon = await openDoors(core, settings, { ...options, stopWatching, opened });
    // Not before: starting holds the loop up, and nobody waits yet.
    stopLoopWatch = watchLoop(options.log);
    return daemon;
  } catch (error) {
    stopWatching();
    // A door that stayed open would keep the process, and let agents into a house that is closed.
    for (const close of opened) await close();
    await core.close('failed to start');
    throw error;
  }
}

async function openDoors(
  core: BrokerCore,
  settings: Settings,
  options: DaemonOptions & { readonly stopWatching: () => void; readonly opened: (() => Promise<void>)[] },
): Promise<Daemon> {
  await firstLists(core);
  let http: HttpIngress | undefined;
  const administration = openAdministration(core, {
    http: () => (http === undefined ? null : { host: http.host, port: http.port }),
  });
  let isOpen = true;
  // A server that fails is not the broker's readiness: taken out of service, it would fail the agents of all others too.
  const ready = (): Readiness => ({ ready: isOpen, servers: serversByState(core) });
  const ports: McpPorts = {
    broker: core.broker,
    clock: core.clock,
    ids: core.ids,
    log: options.log,
    version: options.version,
    listTtlMs: LIST_TTL_MS,
  };
  // Only a daemon without agents is idle: one that came after the clock was wound keeps it until the last has gone.
  const idle = idleExit(options.idleExitMs, () => {
    if (socket.streams === 0) void close();
  });
  const socket = await openAgentSocket({ core, settings, ports, administration, onIdle: idle.arm });
  options.opened.push(() => socket.close({ drainMs: 0 }));
  http = options.http ? await openHttp(core, { settings, options, ports, ready }) : undefined;
  if (http) options.opened.push(() => http.close({ drainMs: 0 }));
  // Last: a key that was made and could not be shown would never be shown again.
  const firstKey = options.firstKeyFor === undefined ? undefined : await administration.firstKey(options.firstKeyFor);
  let tellEnded: (closing: Promise<void>) => void = () => {};
  const ended = new Promise<void>((resolve) => {
    tellEnded = resolve;
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
    tellEnded(closing);
    return closing.catch(() => {});
  };
  idle.arm();
  return { summary: () => summaryOf(core, { firstKey, http }), close, ended };
}

async function firstLists(core: BrokerCore): Promise<void> {
  core.observer.start();
  const unknown = unknownServers(core.standing.registry, core.standing.catalog);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FIRST_LIST_MS);
  });
  await Promise.race([Promise.all(unknown.map((name) => core.observer.ask(name))), late]);
  clearTimeout(timer);
}

function openAgentSocket(parts: {
  readonly core: BrokerCore;
  readonly settings: Settings;
  readonly ports: McpPorts;
  readonly administration: Administration;
  readonly onIdle: () => void;
}): Promise<SocketIngress> {
  const { core, settings, ports, administration, onIdle } = parts;
  const uid = process.getuid?.() ?? 0;
  return openSocketIngress({
    ...ports,
    path: socketPathOf(settings, uid),
    principalOf: (agent) => principalOfOsUser(agent, uid, core.standing.agentOf),
    admin: (method, params) => administration.handle(method, params),
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
  }: { settings: Settings; options: DaemonOptions; ports: McpPorts; ready: () => Readiness },
): Promise<HttpIngress> {
  const verifier = { keyOf: (id: string) => core.keys.get(id), agentOf: core.standing.agentOf, clock: core.clock };
  return openHttpIngress({
    ...ports,
    authenticate: (headers, connection) => {
      const result = authenticate(headers, verifier, connection);
      if (!result.ok) options.log.warn('agent.refused', { because: result.because });
      return result;
    },
    host: settings.host,
    port: settings.port,
    allowedHosts: options.allowedHosts,
    allowedOrigins: options.allowedOrigins,
    ready,
  });
}

/** Ends a daemon that was started for agents alone, when none has been there for a while. */
function idleExit(
  afterMs: number | undefined,
  end: () => void,
): { readonly arm: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = afterMs === undefined;
  return {
    arm: () => {
      clearTimeout(timer);
      // The streams that closing ends are no reason to wait again.
      if (!isStopped) timer = setTimeout(end, afterMs);
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Beyond loopback the operator says under which names agents come, or a page that rebinds its name would be let in. */
function refuseWideOpen(settings: Settings, options: DaemonOptions): void {
  if (!options.http || LOOPBACK.test(settings.host) || options.allowedHosts.length > 0) return;
  const problem: Problem = {
    code: addressPosture.yields,
    at: '--host',
    message: `\`${settings.host}\` is reachable from other machines and no host name is allowed`,
    hint: 'name each host under which agents reach the broker with `--allow-host`, and put TLS in front of it',
  };
  throw new ProblemError([problem]);
}
