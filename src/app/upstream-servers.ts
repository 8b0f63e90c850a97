import { isAbsolute, join, resolve } from 'node:path';
import { resolveAll } from '../credentials/reference.ts';
import { secretFileReader } from '../credentials/secret-file.ts';
import { formatProblem } from '../domain/problem.ts';
import { digestOfJson } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Secret } from '../lib/secret.ts';
import type { Registry } from '../registry/load.ts';
import type { ServerSettings } from '../registry/server-settings.ts';
import type { Log } from '../telemetry/log.ts';
import type { UpstreamServer } from '../upstream/upstream-server.ts';

/** Where secrets and relative paths are looked up. */
export interface UpstreamSurroundings {
  /** Directory of the registry. */
  readonly registryDir: string;
  /** What relative working directories start from. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** The back door's view of the servers of a registry. Secrets are looked up when a server is started, not before. */
export function upstreamServers(registry: Registry, around: UpstreamSurroundings): readonly UpstreamServer[] {
  return [...registry.servers.values()].map((server) => upstreamServer(server, registry, around));
}

function upstreamServer(server: ServerSettings, registry: Registry, around: UpstreamSurroundings): UpstreamServer {
  const { transport } = server;
  const readFile = secretFileReader({
    baseDir: resolve(around.registryDir),
    warn: (problem) => around.log.warn('secret.exposed', { server: server.name, problem: formatProblem(problem) }),
  });
  const texts = transport.type === 'stdio' ? transport.env : transport.headers;
  const key = transport.type === 'stdio' ? 'env' : 'headers';
  const reveal = async (): Promise<Readonly<Record<string, string>>> => {
    const use = transport.type === 'stdio' ? 'variable' : 'header';
    const place = (name: string): string => registry.placeOf(server.name, ['transport', key, name]);
    return revealed(resolveAll(texts, { env: around.env, readFile, place, use }));
  };
  return {
    name: server.name,
    revision: digestOfJson(asJson(transport, server)),
    transport:
      transport.type === 'stdio'
        ? {
            type: 'stdio',
            command: transport.command,
            args: transport.args,
            cwd: workingDirectory(transport.cwd, around.home),
            resolveEnv: reveal,
          }
        : { type: transport.type, url: transport.url, resolveHeaders: reveal },
    timeoutMs: server.timeoutMs,
    startTimeoutMs: server.startTimeoutMs,
    connectTimeoutMs: server.connectTimeoutMs,
    stallTimeoutMs: server.stallTimeoutMs,
    maxTools: server.maxTools,
    idleMs: server.idleMs,
    sharing: server.sharing,
    maxResultBytes: server.maxResultBytes,
    era: server.era,
  };
}

function workingDirectory(cwd: string | undefined, home: string): string {
  if (cwd === undefined) return home;
  return isAbsolute(cwd) ? cwd : join(home, cwd);
}

function revealed(secrets: ReadonlyMap<string, Secret>): Readonly<Record<string, string>> {
  return Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.reveal()]));
}

/** What a running session depends on. References, not values: a secret that changes is seen at the next start. */
function asJson(transport: ServerSettings['transport'], server: ServerSettings): JsonObject {
  const { sharing, era, maxResultBytes, maxTools, timeoutMs, startTimeoutMs, idleMs } = server;
  const { connectTimeoutMs, stallTimeoutMs } = server;
  return {
    ...(transport.type === 'stdio'
      ? { command: transport.command, args: [...transport.args], env: { ...transport.env }, cwd: transport.cwd ?? '' }
      : { type: transport.type, url: transport.url, headers: { ...transport.headers } }),
    ...{ sharing, era, maxResultBytes, maxTools, timeoutMs, startTimeoutMs, idleMs, connectTimeoutMs, stallTimeoutMs },
  };
}
