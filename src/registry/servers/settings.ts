import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { PayloadRetention, Risk } from '../../domain/target.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { bytesField, dollarsField, durationField, registryNameField, singleLineField } from './field.ts';

/** Names of tools by MCP 2025-11-25, "Tool Names": 1 to 128 of `A-Z a-z 0-9 _ - .`. */
export const TOOL_NAME: RegExp = /^[A-Za-z0-9_.-]{1,128}$/;

/** The operator's settings for one tool. */
export interface ToolSettings {
  readonly risk: Risk;
  readonly costNanoUsd: number;
  readonly labels: readonly string[];
  /** Arguments that must not be copied to a header, by their path with dots. */
  readonly secretArguments: readonly string[];
  readonly output?: JsonObject;
  readonly maxResultBytes: number;
  readonly timeoutMs: number;
}

export interface StdioTransport {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Texts with secret references in them. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface HttpTransport {
  readonly type: 'streamable-http' | 'sse';
  readonly url: string;
  /** Texts with secret references in them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One tool server as declared in its file, with defaults applied. */
export interface ServerSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly timeoutMs: number;
  readonly startTimeoutMs: number;
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly refreshMs: number;
  readonly sharing: 'principal' | 'all';
  readonly pin: 'auto' | 'lock';
  readonly era: 'auto' | 'legacy' | 'modern';
  readonly payloads: PayloadRetention;
  readonly payloadMaxBytes: number;
  readonly maxResultBytes: number;
  readonly maxTools: number;
  /** Limit of the progress and log messages passed on per call and, separately, of the server's requests answered per call. */
  readonly maxNotifications: number;
  readonly tools: ReadonlyMap<string, ToolSettings>;
  /** Settings of tools that `tools` does not name. */
  readonly unlisted: ToolSettings;
}

/** True when both servers exist and have the same transport, so discovered features of one hold for the other. */
export function isSameServer(one: ServerSettings | undefined, other: ServerSettings | undefined): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(one.transport, other.transport);
}

const MAX_BYTES = 67_108_864;

const risk = z
  .enum(['read', 'write', 'destructive'])
  .describe('Harm that the tool can do: `read`, `write` or `destructive`; annotations of the tool never lower it');

const jsonValue: z.ZodType<JsonValue> = z.json().describe('Any JSON value');

const toolSettings = z
  .strictObject({
    risk: risk
      .exactOptional()
      .describe('Harm that the tool can do; only `read` is ever retried. Default: `risk` of the server.'),
    costUsd: dollarsField('Cost of one call, reserved before it is sent. Default: `"0"`.').exactOptional(),
    labels: z
      .array(
        z
          .string()
          .regex(/^[a-z0-9]+([._:-][a-z0-9]+)*$/)
          .max(63),
      )
      .max(32)
      .default([])
      .describe('Labels that conditions of policies can read. Default: none.'),
    secretArguments: z
      .array(
        z
          .string()
          .min(1)
          .max(256)
          .regex(/^\P{Cc}*$/u),
      )
      .max(64)
      .default([])
      .describe(
        'Arguments that are never copied to an HTTP header, even if the tool asks for it; a nested one as `login.token`. Arguments named like a secret, such as `api_key`, never are. Default: none.',
      ),
    output: z
      .record(z.string(), jsonValue)
      .exactOptional()
      .describe(
        'JSON Schema 2020-12 that results must match where the server declares no `outputSchema`. Default: none.',
      ),
    maxResultBytes: bytesField(
      'Largest result that is passed on. Default: that of the server.',
      MAX_BYTES,
    ).exactOptional(),
    timeout: durationField('Longest wait for a response. Default: that of the server.').exactOptional(),
  })
  .describe('Settings of one tool');

const stdio = z
  .strictObject({
    type: z
      .literal('stdio')
      .describe('The broker starts the server as a process and talks to it over stdin and stdout'),
    command: singleLineField('Program to start, without a shell'),
    args: z.array(z.string().max(8_192)).max(256).default([]).describe('Arguments of the program. Default: none.'),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
        z.string().max(65_536, { error: 'is longer than 65536 characters' }),
      )
      .default({})
      .describe(
        'Environment variables of the program; values can hold references such as `${' +
          'env:HOME}`. Of the rest of the environment, only what programs need to start is passed on. Default: none.',
      ),
    cwd: singleLineField('Working directory of the program. Default: that of the broker.').exactOptional(),
  })
  .describe('A server that is started as a process');

const httpFields = {
  url: z
    .string()
    .max(2_048)
    .describe('Address of the MCP endpoint, `https://…` or `http://…`, without user and password'),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/), z.string().max(8_192))
    .default({})
    .describe('HTTP headers of each request; write a secret as a reference. Default: none.'),
};

const streamableHttp = z
  .strictObject({
    type: z.literal('streamable-http').describe('The broker talks to the server over streamable HTTP'),
    ...httpFields,
  })
  .describe('A server that is reached over HTTP');

const sse = z
  .strictObject({
    type: z.literal('sse').describe('The broker talks to the server over HTTP+SSE, the transport of 2024-11-05'),
    ...httpFields,
  })
  .describe('An old server that is reached over HTTP');

const serverFile = z
  .strictObject({
    name: registryNameField(
      'Name of the server and of its file; its tools are `tool:<name>/…`, exposed as `<name>__…`.',
    ),
    title: singleLineField('Display name of the server. Default: none.').exactOptional(),
    description: singleLineField('Purpose of the server. Default: none.').exactOptional(),
    transport: z.discriminatedUnion('type', [stdio, streamableHttp, sse]).describe('How the server is reached'),
    timeout: durationField('Longest wait for the response to one call. Default: `30s`.').prefault('30s'),
    startTimeout: durationField('Longest wait until the server is started and initialized. Default: `30s`.').prefault(
      '30s',
    ),
    idleTimeout: durationField(
      'Time without a call after which a process or session is ended. Default: `5m`.',
    ).prefault('5m'),
    connectTimeout: durationField('Longest wait for a connection to a server over HTTP. Default: `10s`.').prefault(
      '10s',
    ),
    stallTimeout: durationField('Longest pause between two chunks of a response over HTTP. Default: `60s`.').prefault(
      '60s',
    ),
    refresh: durationField('Interval at which the features of the server are listed again. Default: `5m`.').prefault(
      '5m',
    ),
    sharing: z
      .enum(['principal', 'all'])
      .default('principal')
      .describe(
        'Sharing of processes and sessions: each `principal` has its own, or `all` share one. Default: `principal`.',
      ),
    pin: z
      .enum(['auto', 'lock'])
      .default('lock')
      .describe(
        '`auto` accepts new tools, but never changed ones; `lock` accepts only tools in `registry.lock`. Default: `lock`.',
      ),
    era: z
      .enum(['auto', 'legacy', 'modern'])
      .default('auto')
      .describe(
        'Protocol versions of the server: `auto` negotiates, `legacy` is 2025-11-25 and before, `modern` is 2026-07-28. Default: `auto`.',
      ),
    payloads: z
      .enum(['keep', 'digest'])
      .default('digest')
      .describe(
        'Storage of arguments and results: `keep` stores the bytes, `digest` a salted digest. Default: `digest`.',
      ),
    payloadMaxBytes: bytesField(
      'Largest payload that is stored; of a larger one, only the digest. Default: 65536.',
      MAX_BYTES,
    ).default(65_536),
    maxResultBytes: bytesField('Largest result that is passed on. Default: 1048576.', MAX_BYTES).default(1_048_576),
    maxTools: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe('Largest number of tools read from the server. Default: 10000.'),
    maxNotifications: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(1_000)
      .describe(
        'Largest number of progress and log messages passed on per call; more are dropped. The same limit holds separately for requests of the server that the broker answers itself, such as `ping`. Default: 1000.',
      ),
    risk: risk.default('destructive').describe('Harm of tools that `tools` does not name. Default: `destructive`.'),
    tools: z
      .record(z.string().regex(TOOL_NAME), toolSettings)
      .default({})
      .describe('Settings by tool. A tool without settings exists too, with the defaults. Default: none.'),
  })
  .describe('One tool server: its transport and the settings of its tools');

/** The format of `registry/servers/<name>.yaml`. The output has units in the names and defaults applied. */
export const serverSettingsSchema: z.ZodType<ServerSettings> = serverFile.transform(toServerSettings);

/** Renames durations with their units and applies the server's defaults to its tools. */
function toServerSettings(file: z.output<typeof serverFile>): ServerSettings {
  const {
    timeout,
    startTimeout,
    idleTimeout,
    connectTimeout,
    stallTimeout,
    refresh,
    risk: unlistedRisk,
    tools: listed,
    ...rest
  } = file;
  const unlisted: ToolSettings = {
    risk: unlistedRisk,
    costNanoUsd: 0,
    labels: [],
    secretArguments: [],
    maxResultBytes: file.maxResultBytes,
    timeoutMs: timeout,
  };
  const tools = new Map<string, ToolSettings>();
  for (const [name, { costUsd, timeout: timeoutMs, ...tool }] of Object.entries(listed)) {
    tools.set(name, {
      ...unlisted,
      ...tool,
      ...(costUsd === undefined ? {} : { costNanoUsd: costUsd }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }
  return {
    ...rest,
    timeoutMs: timeout,
    startTimeoutMs: startTimeout,
    idleMs: idleTimeout,
    connectTimeoutMs: connectTimeout,
    stallTimeoutMs: stallTimeout,
    refreshMs: refresh,
    tools,
    unlisted,
  };
}
