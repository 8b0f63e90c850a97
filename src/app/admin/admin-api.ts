import { z } from 'zod';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { ApiKeyRecord } from '../../identity/api-keys.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { BrokerCore } from '../compose.ts';
import { liveLimits } from '../queries/limits-status.ts';
import type { DaemonReport } from '../runtime/daemon-socket.ts';
import { secretProblems } from '../runtime/upstream-servers.ts';
import { pinTools, registryDifferences, registryStatus } from './registry.ts';

/** Administration of a broker by the command line. Every change is recorded; none can create a server or a grant. */
export interface AdminApi {
  /** @throws ProblemError for an unknown method, invalid parameters, or an operation that fails. */
  handle(method: string, params: JsonObject): Promise<JsonValue>;
  /** Creates a key for an agent if the data directory has no key. */
  createFirstKey(agent: string): Promise<{ readonly agent: string; readonly key: string } | undefined>;
}

const agentName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const toolSelection = z.strictObject({ server: z.string().max(64).optional(), tool: z.string().max(128).optional() });
const limitsRequest = z.strictObject({ agent: agentName.optional() });
/** `agreed`: for a server that was just added, the digest of the definitions that a person has seen. */
const pinRequest = toolSelection.extend({
  agreed: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
});
const createKeyRequest = z.strictObject({
  agent: agentName,
  expiresInMs: z.int().positive().max(315_576_000_000).optional(),
});
const revokeKeyRequest = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) });

export interface AdminApiOptions {
  readonly uid?: number;
  /** Address of the HTTP listener. Default: none. */
  readonly http?: () => DaemonReport['http'];
  readonly signal?: AbortSignal;
}

/**
 * Administration of a core that is open in this process, recorded as done by the operating-system user `uid`. After an
 * abort, an operation that still waits for servers writes nothing.
 */
export function openAdminApi(
  core: BrokerCore,
  { uid = process.getuid?.() ?? 0, http = () => null, signal }: AdminApiOptions = {},
): AdminApi {
  const by = `os-user:${uid}`;
  const createKey = async ({
    agent,
    expiresInMs,
  }: z.infer<typeof createKeyRequest>): Promise<{ id: string; key: string }> => {
    if (!core.snapshots.agentOf(agent)) throw new ProblemError([unknownAgent(agent)]);
    const { record, key } = await core.keys.create(agent, expiresInMs);
    await core.systemEvents.recordOrThrow({
      kind: 'key.created',
      by,
      id: record.id,
      agent: `agent:${agent}`,
      ...expiryOf(record),
    });
    return { id: record.id, key };
  };
  const methods: Readonly<Record<string, (params: JsonObject) => Promise<JsonValue>>> = {
    'keys.create': async (params) => createKey(parseParams(createKeyRequest, params)),
    'keys.list': async () => core.keys.list().map((record) => describeKey(record, core.clock.wallMs())),
    'keys.revoke': async (params) => {
      const { id } = parseParams(revokeKeyRequest, params);
      const record = await core.keys.revoke(id);
      if (!record) throw new ProblemError([unknownKey(id)]);
      await core.systemEvents.recordOrThrow({ kind: 'key.revoked', by, id, agent: `agent:${record.agent}` });
      return describeKey(record, core.clock.wallMs());
    },
    'registry.status': async () => registryStatus(core),
    'registry.diff': async (params) => registryDifferences(core, parseParams(toolSelection, params)),
    'broker.report': async () => daemonReport(core, http()),
    'limits.status': async (params) => liveLimits(core, parseParams(limitsRequest, params).agent),
    'registry.pin': async (params) => pinTools(core, { ...parseParams(pinRequest, params), by }, signal),
  };
  return {
    handle: async (method, params) => {
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!run) throw new ProblemError([unknownMethod(method)]);
      return run(params);
    },
    createFirstKey: async (agent) =>
      core.keys.list().length > 0 ? undefined : { agent, key: (await createKey({ agent })).key },
  };
}

function daemonReport({ settings, version, env, snapshots }: BrokerCore, http: DaemonReport['http']): DaemonReport {
  const context = { registryDir: settings.registry, env };
  return { pid: process.pid, version, http, secrets: secretProblems(snapshots.registry, context) };
}

function parseParams<T>(schema: z.ZodType<T>, params: JsonObject): T {
  const result = schema.safeParse(params);
  if (result.success) return result.data;
  const paths = result.error.issues.map(({ path }) => `\`${path.join('.')}\``).join(', ');
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: '',
      message: `${paths} has a value that is not allowed`,
      hint: 'run the command with `--help`',
    },
  ]);
}

/** Everything of a key but its secret. */
function describeKey(record: ApiKeyRecord, nowMs: number): JsonObject {
  const { id, agent, createdAtMs, expiresAtMs, revokedAtMs } = record;
  const isExpired = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  return {
    id,
    agent: `agent:${agent}`,
    createdAtMs,
    ...expiryOf(record),
    ...(revokedAtMs === undefined ? {} : { revokedAtMs }),
    state: revokedAtMs !== undefined ? 'revoked' : isExpired ? 'expired' : 'active',
  };
}

function expiryOf({ expiresAtMs }: ApiKeyRecord): { readonly expiresAtMs?: number } {
  return expiresAtMs === undefined ? {} : { expiresAtMs };
}

function unknownAgent(agent: string): Problem {
  const hint = `declare it in \`registry/agents/${agent}.yaml\``;
  return { code: 'identity-unknown-agent', at: '', message: `no agent is declared as \`${agent}\``, hint };
}

function unknownKey(id: string): Problem {
  return {
    code: 'identity-unknown-key',
    at: '',
    message: `there is no key \`${id}\``,
    hint: 'run `seneschal keys list`',
  };
}

function unknownMethod(method: string): Problem {
  const printable = method.replaceAll(/[^\w.]/g, '?').slice(0, 64);
  const hint = 'use the same version of `seneschal` for the broker and for the command';
  return { code: 'ingress-hello-invalid', at: '', message: `the broker has no method \`${printable}\``, hint };
}
