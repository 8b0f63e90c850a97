import { isAbsolute, join, resolve } from 'node:path';
import { createSecretFileReader, resolveAllSecretReferences } from '../../credentials/secret-references.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { CAPABILITY_FOR } from '../../domain/mcp/input-request.ts';
import { formatProblem, type Problem, ProblemError } from '../../domain/problem.ts';
import { digestOfJson } from '../../lib/digest.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { Secret } from '../../lib/secrets/secret.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import type { Registry } from '../../registry/load.ts';
import type { ServerSettings } from '../../registry/servers/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import type { UpstreamServer } from '../../upstream/session/upstream-server.ts';

/** Places to look secrets and relative paths up. */
export interface UpstreamContext {
  /** Directory of the registry. */
  readonly registryDir: string;
  /** Base of relative working directories. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Client capabilities that the policy allows a server with any declared agent. Default: none. */
  clientCapabilitiesOf?(server: string): JsonObject;
}

/** Upstream servers of a registry. Secrets are resolved when a server is started, not earlier. */
export function upstreamServers(registry: Registry, context: UpstreamContext): readonly UpstreamServer[] {
  return [...registry.servers.values()].map((server) => upstreamServer(server, registry, context));
}

export const secretFailureMode: FailureMode<'upstream-unavailable'> = {
  control: 'secrets',
  trigger: 'a secret reference cannot be resolved',
  result: 'upstream-unavailable',
  means: 'the server is not started',
  override: null,
};

/** A problem with a secret reference of a server, or with the file that it names. */
export type ServerSecretProblem = { readonly server: string; readonly problem: Problem & JsonObject };

/** Resolves every secret as a start of its server would, and returns the problems. Reveals no secret. */
export function secretProblems(
  registry: Registry,
  context: Omit<UpstreamContext, 'log' | 'home'>,
): readonly ServerSecretProblem[] {
  const problems: ServerSecretProblem[] = [];
  for (const server of registry.servers.values()) {
    const collect = (problem: Problem): void => void problems.push({ server: server.name, problem: { ...problem } });
    try {
      secretsOf(server, registry, { ...context, warn: collect });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      error.problems.forEach(collect);
    }
  }
  return problems;
}

/** Secrets of a server by variable or header. @throws ProblemError with every reference that cannot be resolved. */
function secretsOf(
  { name, transport }: ServerSettings,
  registry: Registry,
  context: Omit<UpstreamContext, 'log' | 'home'> & { readonly warn: (problem: Problem) => void },
): ReadonlyMap<string, Secret> {
  const readFile = createSecretFileReader({ baseDir: resolve(context.registryDir), warn: context.warn });
  const isStdio = transport.type === 'stdio';
  const key = isStdio ? 'env' : 'headers';
  const place = (of: string): string => registry.locationOf(name, ['transport', key, of]);
  const use = isStdio ? 'variable' : 'header';
  return resolveAllSecretReferences(isStdio ? transport.env : transport.headers, {
    env: context.env,
    readFile,
    location: place,
    use,
  });
}

function upstreamServer(server: ServerSettings, registry: Registry, context: UpstreamContext): UpstreamServer {
  const { transport } = server;
  const warn = (problem: Problem): void =>
    context.log.warn('secret.exposed', { server: server.name, problem: formatProblem(problem) });
  const reveal = async (): Promise<Readonly<Record<string, string>>> =>
    revealAll(secretsOf(server, registry, { ...context, warn }));
  const capabilities = context.clientCapabilitiesOf?.(server.name) ?? {};
  return {
    name: server.name,
    revision: digestOfJson({ ...sessionSettings(transport, server), asks: capabilities }),
    transport:
      transport.type === 'stdio'
        ? {
            type: 'stdio',
            command: transport.command,
            args: transport.args,
            cwd: workingDirectory(transport.cwd, context.home),
            resolveEnv: reveal,
          }
        : { type: transport.type, url: transport.url, resolveHeaders: reveal },
    timeoutMs: server.timeoutMs,
    startTimeoutMs: server.startTimeoutMs,
    connectTimeoutMs: server.connectTimeoutMs,
    stallTimeoutMs: server.stallTimeoutMs,
    maxTools: server.maxTools,
    maxNotifications: server.maxNotifications,
    idleMs: server.idleMs,
    sharing: server.sharing,
    maxResultBytes: server.maxResultBytes,
    era: server.era,
    discoveryCapabilities: capabilities,
  };
}

function workingDirectory(cwd: string | undefined, home: string): string {
  if (cwd === undefined) return home;
  return isAbsolute(cwd) ? cwd : join(home, cwd);
}

function revealAll(secrets: ReadonlyMap<string, Secret>): Readonly<Record<string, string>> {
  return Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.reveal()]));
}

/** Settings that a running session depends on. References, not values: a changed secret applies at the next start. */
function sessionSettings(transport: ServerSettings['transport'], server: ServerSettings): JsonObject {
  const { sharing, era, maxResultBytes, maxTools, timeoutMs, startTimeoutMs, idleMs } = server;
  const { connectTimeoutMs, stallTimeoutMs, maxNotifications } = server;
  return {
    ...(transport.type === 'stdio'
      ? { command: transport.command, args: [...transport.args], env: { ...transport.env }, cwd: transport.cwd ?? '' }
      : { type: transport.type, url: transport.url, headers: { ...transport.headers } }),
    sharing,
    era,
    maxResultBytes,
    maxTools,
    maxNotifications,
    timeoutMs,
    startTimeoutMs,
    idleMs,
    connectTimeoutMs,
    stallTimeoutMs,
  };
}

const CAPABILITIES = {
  elicit: { form: {}, url: {} },
  sample: {},
  roots: {},
} as const;

/**
 * Client capabilities that the policy allows a server with at least one declared agent. Declared when its features are
 * listed, which happens on behalf of no agent.
 */
export function allowedClientCapabilities(registry: Registry, policySet: PolicySet, server: string): JsonObject {
  const subjectsByAgent = [...registry.agents.values()].map(({ name, team }) =>
    principalSubjects(policySet, { id: `agent:${name}`, ...(team === undefined ? {} : { team }) }),
  );
  const capabilities: Record<string, JsonObject> = {};
  for (const action of ['elicit', 'sample', 'roots'] as const) {
    const object = `server:${server}`;
    if (!subjectsByAgent.some((subjects) => policySet.couldAllow({ subjects, object, action }))) continue;
    capabilities[CAPABILITY_FOR[action]] = CAPABILITIES[action];
  }
  return capabilities;
}
