import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { type Era, MODERN_VERSION } from '../era.ts';

/** How the broker names itself to tool servers. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

/** One JSON-RPC request as text. The broker declares no client capability: it carries no server's questions yet. */
export function requestText(id: number, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

export function notificationText(method: string, params?: JsonObject): string {
  return JSON.stringify(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params });
}

/** What the broker answers to a request of a tool server: `ping` is alive, all else is a method it does not have. */
export function answerToServerText(id: string | number, method: string): string {
  return method === 'ping'
    ? JSON.stringify({ jsonrpc: '2.0', id, result: {} })
    : JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'method not found' } });
}

/** The envelope of 2026-07-28 (basic, "Request metadata"); legacy parameters stay as they are. */
export function dressParams(params: JsonObject, era: Era, clientInfo: ClientInfo): JsonObject {
  if (era === 'legacy') return params;
  const meta: JsonValue = isJsonObject(params._meta) ? params._meta : {};
  return {
    ...params,
    _meta: {
      ...meta,
      'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
      'io.modelcontextprotocol/clientInfo': { name: clientInfo.name, version: clientInfo.version },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  };
}
