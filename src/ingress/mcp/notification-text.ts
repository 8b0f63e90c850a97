import type { JsonObject } from '../../lib/json.ts';

/** A JSON-RPC notification to an agent as text; without `params` it has none. */
export function encodeNotification(method: string, params?: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}
