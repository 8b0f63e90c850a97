import type { JsonObject } from '../../lib/json/json.ts';

/** Encodes a JSON-RPC 2.0 notification as text. Default: it has no `params`. */
export function encodeNotification(method: string, params?: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}
