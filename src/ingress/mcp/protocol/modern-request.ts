import type { IncomingHttpHeaders } from 'node:http';
import type { FailureMode } from '../../../domain/failure-mode.ts';
import { isLogLevel } from '../../../domain/mcp/client-context.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import { type ParamHeader, paramHeaderValue } from '../../../domain/mcp/param-headers.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import {
  HEADER_MISMATCH,
  INVALID_PARAMS,
  type JsonRpcMessage,
  type JsonRpcProblem,
  UNSUPPORTED_PROTOCOL_VERSION,
} from './json-rpc.ts';
import {
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_LOG_LEVEL,
  META_PROTOCOL_VERSION,
  MODERN_VERSION,
  MODERN_VERSIONS,
} from './versions.ts';

/** The headers of a modern POST that repeat its body, as `node:http` returns them; repeated headers are joined. */
export interface McpHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

/** Returns the era of a message: by its body, or by its header if the body does not state one (2026-07-28, versioning). */
export function eraOf(message: JsonRpcMessage, headers?: McpHeaders): Era {
  const meta = message.params._meta;
  if (isJsonObject(meta) && meta[META_PROTOCOL_VERSION] !== undefined) {
    // `initialize` is a legacy request unless it states exactly the modern version.
    return message.method === 'initialize' && meta[META_PROTOCOL_VERSION] !== MODERN_VERSION ? 'legacy' : 'modern';
  }
  if (message.method === 'server/discover' || message.method === 'subscriptions/listen') return 'modern';
  return headers?.version === MODERN_VERSION ? 'modern' : 'legacy';
}

/**
 * Checks the required `_meta` of a modern request, then its headers against the body (2026-07-28, basic/index and
 * streamable-http, "Server Validation"). stdio has no headers.
 * @returns undefined if the request is valid.
 */
export function checkModernRequest(message: JsonRpcMessage, headers?: McpHeaders): JsonRpcProblem | undefined {
  const meta = message.params._meta;
  if (!isJsonObject(meta)) return rejection(INVALID_PARAMS, '`params._meta` is missing');
  const version = meta[META_PROTOCOL_VERSION];
  if (typeof version !== 'string') return rejection(INVALID_PARAMS, `\`_meta["${META_PROTOCOL_VERSION}"]\` is missing`);
  if (!isJsonObject(meta[META_CLIENT_CAPABILITIES])) {
    return rejection(INVALID_PARAMS, `\`_meta["${META_CLIENT_CAPABILITIES}"]\` is missing or not an object`);
  }
  if (meta[META_CLIENT_INFO] !== undefined && !isJsonObject(meta[META_CLIENT_INFO])) {
    return rejection(INVALID_PARAMS, `\`_meta["${META_CLIENT_INFO}"]\` is not an object`);
  }
  if (meta[META_LOG_LEVEL] !== undefined && !isLogLevel(meta[META_LOG_LEVEL])) {
    return rejection(INVALID_PARAMS, `\`_meta["${META_LOG_LEVEL}"]\` is not a log level`);
  }
  const mismatch = headers && checkRequiredHeaders(message, version, headers);
  if (mismatch) return mismatch;
  if (version !== MODERN_VERSION) {
    return rejection(UNSUPPORTED_PROTOCOL_VERSION, 'the protocol version is not supported', {
      supported: MODERN_VERSIONS,
      requested: version.slice(0, 64),
    });
  }
  return undefined;
}

function checkRequiredHeaders(
  message: JsonRpcMessage,
  version: string,
  headers: McpHeaders,
): JsonRpcProblem | undefined {
  if (headers.version === undefined) return rejection(HEADER_MISMATCH, 'the header `MCP-Protocol-Version` is missing');
  if (headers.version !== version) {
    return rejection(HEADER_MISMATCH, 'the header `MCP-Protocol-Version` does not match the body');
  }
  if (headers.method === undefined) return rejection(HEADER_MISMATCH, 'the header `Mcp-Method` is missing');
  const source = nameParam(message.method);
  if (headers.name === undefined && source !== undefined && typeof message.params[source] === 'string') {
    return rejection(HEADER_MISMATCH, 'the header `Mcp-Name` is missing');
  }
  return checkHeaderMismatch(message, headers);
}

/**
 * Compares the headers that are present with the body. Revisions before 2026-07-28 do not define them, but a proxy that
 * routes by a header must not see a different request from the one that is served.
 * @returns undefined if they match.
 */
export function checkHeaderMismatch(
  message: JsonRpcMessage,
  headers: Pick<McpHeaders, 'method' | 'name'>,
): JsonRpcProblem | undefined {
  if (headers.method !== undefined && headers.method !== message.method)
    return rejection(HEADER_MISMATCH, 'the header `Mcp-Method` does not match the body');
  const source = nameParam(message.method);
  if (source === undefined || headers.name === undefined) return undefined;
  const name = message.params[source];
  const decoded = decodeHeaderValue(headers.name);
  if (decoded === undefined) return rejection(HEADER_MISMATCH, 'the header `Mcp-Name` is not valid base64 of UTF-8');
  return decoded === name ? undefined : rejection(HEADER_MISMATCH, 'the header `Mcp-Name` does not match the body');
}

/** Returns the member of `params` that `Mcp-Name` repeats. */
function nameParam(method: string): 'name' | 'uri' | undefined {
  if (method === 'tools/call' || method === 'prompts/get') return 'name';
  return method === 'resources/read' ? 'uri' : undefined;
}

const SENTINEL_START = '=?base64?';
const SENTINEL_END = '?=';
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes a header value that may have the form `=?base64?…?=`. Returns undefined if its base64 or UTF-8 is invalid. */
function decodeHeaderValue(value: string): string | undefined {
  if (!value.startsWith(SENTINEL_START) || !value.endsWith(SENTINEL_END)) return value;
  const base64 = value.slice(SENTINEL_START.length, -SENTINEL_END.length);
  if (!CANONICAL_BASE64.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  // Unused bits of the last character would give one name several encodings.
  if (bytes.toString('base64') !== base64) return undefined;
  const text = bytes.toString('utf8');
  // Decoding replaces invalid UTF-8, so that only valid bytes survive the round trip.
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

function rejection(code: number, problem: string, data?: JsonObject): JsonRpcProblem {
  return data === undefined ? { code, problem } : { code, problem, data };
}

export const paramHeadersFailureMode: FailureMode<'HTTP 400'> = {
  control: 'parameter headers',
  trigger: 'an `Mcp-Param-…` header that the tool requires is missing, or does not match its argument',
  result: 'HTTP 400',
  override: null,
};

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * Compares the `Mcp-Param-…` headers of a call with its arguments (streamable HTTP 2026-07-28, "Server validation"). A
 * header without an argument is ignored and never forwarded.
 * @returns undefined if they match.
 */
export function checkParamHeaders(
  paramHeaders: readonly ParamHeader[],
  params: JsonObject,
  headers: IncomingHttpHeaders,
): JsonRpcProblem | undefined {
  const args = isJsonObject(params.arguments) ? params.arguments : {};
  for (const { header, path, type } of paramHeaders) {
    const expected = paramHeaderValue(args, path);
    if (expected === undefined) continue;
    const headerValue = headers[header];
    if (typeof headerValue !== 'string')
      return rejection(HEADER_MISMATCH, 'an `Mcp-Param-…` header that the tool requires is missing');
    const decoded = decodeHeaderValue(headerValue);
    if (decoded === undefined)
      return rejection(HEADER_MISMATCH, 'an `Mcp-Param-…` header is not valid base64 of UTF-8');
    const isSame =
      decoded === expected || (type === 'integer' && DECIMAL.test(decoded) && Number(decoded) === Number(expected));
    if (!isSame) return rejection(HEADER_MISMATCH, 'an `Mcp-Param-…` header does not match the body');
  }
  return undefined;
}
