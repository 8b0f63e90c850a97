import { isLogLevel } from '../../../domain/mcp/client-context.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { RpcMessage, RpcProblem } from './json-rpc.ts';
import { HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_PROTOCOL_VERSION } from './json-rpc.ts';
import {
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_LOG_LEVEL,
  META_PROTOCOL_VERSION,
  MODERN_VERSION,
  MODERN_VERSIONS,
} from './versions.ts';

/** The three headers that a modern POST carries beside its body, as `node:http` gives them; repeated ones are joined. */
export interface McpHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

/** The era a message belongs to: the body says it, and the header only where the body is silent (2026-07-28, versioning). */
export function eraOf(message: RpcMessage, headers?: McpHeaders): Era {
  const meta = message.params._meta;
  if (isJsonObject(meta) && meta[META_PROTOCOL_VERSION] !== undefined) {
    // `initialize` belongs to the old handshake unless it names the new revision outright.
    return message.method === 'initialize' && meta[META_PROTOCOL_VERSION] !== MODERN_VERSION ? 'legacy' : 'modern';
  }
  if (message.method === 'server/discover' || message.method === 'subscriptions/listen') return 'modern';
  return headers?.version === MODERN_VERSION ? 'modern' : 'legacy';
}

/**
 * Checks what every modern request must carry, body first, then the headers against it (2026-07-28, basic/index and
 * streamable-http, "Server Validation"). On stdio there are no headers: leave them out.
 * @returns undefined when all is well.
 */
export function checkModernRequest(message: RpcMessage, headers?: McpHeaders): RpcProblem | undefined {
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

function checkRequiredHeaders(message: RpcMessage, version: string, headers: McpHeaders): RpcProblem | undefined {
  if (headers.version === undefined) return rejection(HEADER_MISMATCH, 'the header `MCP-Protocol-Version` is missing');
  if (headers.version !== version) {
    return rejection(HEADER_MISMATCH, 'the header `MCP-Protocol-Version` and the body disagree');
  }
  if (headers.method === undefined) return rejection(HEADER_MISMATCH, 'the header `Mcp-Method` is missing');
  const source = nameParam(message.method);
  if (headers.name === undefined && source !== undefined && typeof message.params[source] === 'string') {
    return rejection(HEADER_MISMATCH, 'the header `Mcp-Name` is missing');
  }
  return checkHeaderMismatch(message, headers);
}

/**
 * Holds those headers against the body that are there. Revisions before 2026-07-28 have none of them; but whoever routes
 * by a header, a proxy for instance, must not see another request than the one that is served.
 */
export function checkHeaderMismatch(
  message: RpcMessage,
  headers: Pick<McpHeaders, 'method' | 'name'>,
): RpcProblem | undefined {
  if (headers.method !== undefined && headers.method !== message.method)
    return rejection(HEADER_MISMATCH, 'the header `Mcp-Method` and the body disagree');
  const source = nameParam(message.method);
  if (source === undefined || headers.name === undefined) return undefined;
  const name = message.params[source];
  const decoded = decodeHeaderValue(headers.name);
  if (decoded === undefined) return rejection(HEADER_MISMATCH, 'the header `Mcp-Name` is not valid base64 of UTF-8');
  return decoded === name ? undefined : rejection(HEADER_MISMATCH, 'the header `Mcp-Name` and the body disagree');
}

/** The member of `params` that `Mcp-Name` repeats. */
function nameParam(method: string): 'name' | 'uri' | undefined {
  if (method === 'tools/call' || method === 'prompts/get') return 'name';
  return method === 'resources/read' ? 'uri' : undefined;
}

const SENTINEL_START = '=?base64?';
const SENTINEL_END = '?=';
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The text of a header that may be written `=?base64?…?=`; undefined when the base64 or its UTF-8 is not valid. */
export function decodeHeaderValue(value: string): string | undefined {
  if (!value.startsWith(SENTINEL_START) || !value.endsWith(SENTINEL_END)) return value;
  const base64 = value.slice(SENTINEL_START.length, -SENTINEL_END.length);
  if (!CANONICAL_BASE64.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  // Bits that belong to no byte could make two writings of one name.
  if (bytes.toString('base64') !== base64) return undefined;
  const text = bytes.toString('utf8');
  // Decoding replaces what is not UTF-8; only valid bytes come back the same.
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

function rejection(code: number, problem: string, data?: JsonObject): RpcProblem {
  return data === undefined ? { code, problem } : { code, problem, data };
}
