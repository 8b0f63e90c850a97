import type { Era } from '../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import type { MessageListener, OutgoingResponse } from './transport.ts';
import { MODERN_VERSION } from './versions.ts';

/** Name and version that the broker sends to tool servers. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

/** Serializes a JSON-RPC request. `params` is JSON already. */
export function encodeRequest(id: number, method: string, params: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`;
}

/** Serializes the response to a server's request that no agent receives: success for `ping`, else "method not found". */
export function encodeDefaultResponse(id: string | number, method: string): string {
  return method === 'ping'
    ? JSON.stringify({ jsonrpc: '2.0', id, result: {} })
    : JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'method not found' } });
}

/** Serializes the response to a server's input request. */
export function encodeResponse(id: string | number, response: OutgoingResponse): string {
  return JSON.stringify({ jsonrpc: '2.0', id, ...response });
}

/**
 * Adds to `_meta` what the listener wants: progress, with the request's id as the token, and in the modern era the log
 * level and the client's capabilities.
 */
export function withMeta(
  params: JsonObject,
  id: number,
  { era, listener }: { readonly era: Era; readonly listener: MessageListener | undefined },
): JsonObject {
  if (listener === undefined) return params;
  const { wantsProgress, logLevel, capabilities } = listener;
  const isModern = era === 'modern';
  if (!wantsProgress && !(isModern && (logLevel ?? capabilities) !== undefined)) return params;
  const requestedMeta: JsonObject = {
    ...(wantsProgress ? { progressToken: id } : {}),
    ...(isModern && logLevel !== undefined ? { [META_LOG_LEVEL]: logLevel } : {}),
    ...(isModern && capabilities !== undefined ? { [META_CAPABILITIES]: toModernCapabilities(capabilities) } : {}),
  };
  const { _meta: meta } = params;
  return { ...params, _meta: isJsonObject(meta) ? { ...meta, ...requestedMeta } : requestedMeta };
}

const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const META_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

/** 2026-07-28 has no notification of changed roots, so `roots.listChanged` is left out. */
function toModernCapabilities(capabilities: JsonObject): JsonObject {
  return capabilities.roots === undefined ? capabilities : { ...capabilities, roots: {} };
}

/** Serializes parameters. In the modern era adds the envelope of 2026-07-28 (basic, "Request metadata"). */
export function encodeParams(params: JsonObject, era: Era, clientInfo: ClientInfo): string {
  if (era === 'legacy') return JSON.stringify(params);
  const { _meta: meta, ...rest } = params;
  if (isJsonObject(meta)) return JSON.stringify({ ...rest, _meta: { ...envelopeFor(clientInfo), ...meta } });
  const text = JSON.stringify(meta === undefined ? params : rest);
  const envelope = `"_meta":${encodedEnvelope(clientInfo)}}`;
  return text === '{}' ? `{${envelope}` : `${text.slice(0, -1)},${envelope}`;
}

const encodedEnvelopes = new WeakMap<ClientInfo, string>();

function encodedEnvelope(clientInfo: ClientInfo): string {
  let text = encodedEnvelopes.get(clientInfo);
  if (text === undefined) {
    text = JSON.stringify(envelopeFor(clientInfo));
    encodedEnvelopes.set(clientInfo, text);
  }
  return text;
}

function envelopeFor({ name, version }: ClientInfo): JsonObject {
  return {
    'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
    'io.modelcontextprotocol/clientInfo': { name, version },
    [META_CAPABILITIES]: {},
  };
}
