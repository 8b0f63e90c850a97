import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { PayloadRetention, Risk } from '../../domain/target.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { bytesField, dollarsField, durationField, registryNameField, singleLineField } from './field.ts';

/** Names of tools by MCP 2025-11-25, "Tool Names": 1 to 128 of `A-Z a-z 0-9 _ - .`. */
export const TOOL_NAME: RegExp = /^[A-Za-z0-9_.-]{1,128}$/;

/** What the operator says of one tool. */
export interface ToolSettings {
  readonly risk: Risk;
  readonly costNanoUsd: number;
  readonly labels: readonly string[];
  /** Arguments that no header may repeat, by their path with dots. */
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

/** One tool server, as its file declares it, with every default filled in. */
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
  /** Most progress and log messages of one call that are handed on, and, counted apart, of the server's requests that are answered. */
  readonly maxNotifications: number;
  readonly tools: ReadonlyMap<string, ToolSettings>;
  /** What holds for tools that `tools` does not name. */
  readonly unlisted: ToolSettings;
}

/** Whether what the one was seen to offer holds for the other: both are there, and are reached in the same way. */
export function isSameServer(one: ServerSettings | undefined, other: ServerSettings | undefined): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(one.transport, other.transport);
}

const MAX_BYTES = 67_108_864;

const risk = z
  .enum(['read', 'write', 'destructive'])
  .describe(
    'Harm that the tool can do: `read`, `write` or `destructive`; what the tool says of itself never lowers it',
  );

const jsonValue: z.ZodType<JsonValue> = z.json().describe('Any JSON value');

const toolSettings = z
  .strictObject({
    risk: risk
      .exactOptional()
      .describe('Harm that the tool can do; only `read` is ever tried again. Default: `risk` of the server.'),
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
      .describe('Words by which policies may speak of the tool. Default: none.'),
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
        'Arguments that no HTTP header may repeat, whatever the tool asks for, beside those by the name of a secret, such as `api_key`; one within another as `auth.token`. Default: none.',
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
    timeout: durationField('Longest wait for an answer. Default: that of the server.').exactOptional(),
  })
  .describe('What the operator says of one tool');

const stdio = z
  .strictObject({
    type: z.literal('stdio').describe('The broker starts the server as a process and speaks with it over its pipes'),
    command: singleLineField('Program to start, without a shell'),
    args: z.array(z.string().max(8_192)).max(256).default([]).describe('Arguments of the program. Default: none.'),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
        z.string().max(65_536, { error: 'is longer than 65536 characters' }),
      )
      .default({})
      .describe(
        'Environment variables that the program gets, texts with references such as `${' +
          'env:HOME}` in them; nothing else of the environment is passed on but what programs need to start. Default: none.',
      ),
    cwd: singleLineField("Directory that the program starts in. Default: the broker's own.").exactOptional(),
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
    .describe('HTTP headers of each request; a secret is written as a reference. Default: none.'),
};

const streamableHttp = z
  .strictObject({
    type: z.literal('streamable-http').describe('The broker speaks with the server over streamable HTTP'),
    ...httpFields,
  })
  .describe('A server that is reached over HTTP');

const sse = z
  .strictObject({
    type: z.literal('sse').describe('The broker speaks with the server over HTTP+SSE, the transport of 2024-11-05'),
    ...httpFields,
  })
  .describe('An old server that is reached over HTTP');

const serverFile = z
  .strictObject({
    name: registryNameField(
      'Name of the server and of its file; its tools are `tool:<name>/…`, exposed as `<name>__…`.',
    ),
    title: singleLineField('Name of the server for people. Default: none.').exactOptional(),
    description: singleLineField('What the server is for. Default: none.').exactOptional(),
    transport: z.discriminatedUnion('type', [stdio, streamableHttp, sse]).describe('How the server is reached'),
    timeout: durationField('Longest wait for the answer to one call. Default: `30s`.').prefault('30s'),
    startTimeout: durationField(
      'Longest wait until the server is started and has said hello. Default: `30s`.',
    ).prefault('30s'),
    idleTimeout: durationField(
      'Time without a call after which a process or session is ended. Default: `5m`.',
    ).prefault('5m'),
    connectTimeout: durationField('Longest wait for a connection to a server over HTTP. Default: `10s`.').prefault(
      '10s',
    ),
    stallTimeout: durationField(
      'Longest pause between two bytes of an answer over HTTP that has begun. Default: `60s`.',
    ).prefault('60s'),
    refresh: durationField('Time after which the list of tools is read again. Default: `5m`.').prefault('5m'),
    sharing: z
      .enum(['principal', 'all'])
      .default('principal')
      .describe(
        'Who shares a process or session: each `principal` has its own, or `all` share one. Default: `principal`.',
      ),
    pin: z
      .enum(['auto', 'lock'])
      .default('lock')
      .describe(
        '`auto` accepts new tools and never changed ones; `lock` only what `registry.lock` holds. Default: `lock`.',
      ),
    era: z
      .enum(['auto', 'legacy', 'modern'])
      .default('auto')
      .describe(
        'Protocol that the server speaks: `auto` asks it, `legacy` is 2025-11-25 and before, `modern` 2026-07-28. Default: `auto`.',
      ),
    payloads: z
      .enum(['keep', 'digest'])
      .default('digest')
      .describe('What is kept of arguments and results: the bytes, or their salted digest alone. Default: `digest`.'),
    payloadMaxBytes: bytesField(
      'Largest payload that is kept; of a larger one the digest is. Default: 65536.',
      MAX_BYTES,
    ).default(65_536),
    maxResultBytes: bytesField('Largest result that is passed on. Default: 1048576.', MAX_BYTES).default(1_048_576),
    maxTools: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe('Most tools that are read of the server. Default: 10000.'),
    maxNotifications: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(1_000)
      .describe(
        "Most progress and log messages of one call that are handed on; those over it are dropped. As many of the server's own requests that no agent is asked, such as `ping`, are answered during the call, counted apart. Default: 1000.",
      ),
    risk: risk
      .default('destructive')
      .describe('Harm that tools can do which `tools` says nothing of. Default: `destructive`.'),
    tools: z
      .record(z.string().regex(TOOL_NAME), toolSettings)
      .default({})
      .describe('Tools by name. Tools that are not listed exist all the same, with the defaults. Default: none.'),
  })
  .describe('One tool server: how it is reached and what the operator says of its tools');

/** The settings of `registry/servers/<name>.yaml`: read as a person writes them, given with units and defaults. */
export const serverSettingsSchema: z.ZodType<ServerSettings> = serverFile.transform(toServerSettings);

/** Puts units into the names and the server's defaults into its tools. */
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
