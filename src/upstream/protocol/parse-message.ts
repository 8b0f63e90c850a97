import type { JsonRpcErrorBody } from '../../domain/outcome.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';
import type { Response } from './transport.ts';

/** Deepest nesting accepted from a tool server. */
const MAX_DEPTH = 128;

/** One JSON-RPC 2.0 message of a tool server. */
export type IncomingMessage =
  | { readonly kind: 'response'; readonly id: number; readonly response: Response }
  /** An error response without an id: the server could not read the id of the request. */
  | { readonly kind: 'error-without-id'; readonly error: JsonRpcErrorBody }
  | { readonly kind: 'request'; readonly id: string | number; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  /** Not MCP. `id` is the id of our request, if it can be recognized. */
  | { readonly kind: 'invalid'; readonly problem: string; readonly id?: number };

/** Parses one message. Values pass as they were sent: nothing is stripped, filled in or coerced. */
export function parseMessage(bytes: Uint8Array, maxBytes: number): IncomingMessage {
  const parsed = parseStrictJson(bytes, { maxBytes, maxDepth: MAX_DEPTH, allowConstructorKeys: true });
  if (!parsed.ok)
    return invalidMessage(`the message cannot be read as JSON: ${parsed.problem}`, guessResponseId(bytes));
  const message = parsed.value;
  if (!isJsonObject(message)) return invalidMessage('the message is not a JSON object');
  const id = typeof message.id === 'number' ? message.id : undefined;
  if (message.jsonrpc !== '2.0') return invalidMessage('the message is not JSON-RPC 2.0', id);
  if (message.method !== undefined) return parseServerMessage(message);
  const hasResult = message.result !== undefined;
  if (hasResult === (message.error !== undefined))
    return invalidMessage('the message has neither a result nor an error, or both', id);
  if (!hasResult) return parseErrorResponse(message, id);
  if (id === undefined) return invalidMessage('the response has no id that the broker sent');
  if (!isJsonObject(message.result)) return invalidMessage('the result is not a JSON object', id);
  return { kind: 'response', id, response: { kind: 'result', result: message.result, bytes: bytes.byteLength } };
}

const NO_PARAMS: JsonObject = Object.freeze({});

function parseServerMessage(message: JsonObject): IncomingMessage {
  const { id, method } = message;
  const params = isJsonObject(message.params) ? message.params : NO_PARAMS;
  if (typeof method !== 'string') return invalidMessage('the method is not a string');
  if (id === undefined) return { kind: 'notification', method, params };
  if (typeof id !== 'string' && typeof id !== 'number')
    return invalidMessage('the id of a request is neither a string nor a number');
  return { kind: 'request', id, method, params };
}

function parseErrorResponse(message: JsonObject, id: number | undefined): IncomingMessage {
  const { error } = message;
  if (!isJsonObject(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') {
    return invalidMessage('the error has no integer `code` or no string `message`', id);
  }
  // `as`: the two required members were just checked; all others pass verbatim.
  const body = error as unknown as JsonRpcErrorBody;
  return id === undefined
    ? { kind: 'error-without-id', error: body }
    : { kind: 'response', id, response: { kind: 'error', error: body } };
}

function invalidMessage(problem: string, id?: number): IncomingMessage {
  return id === undefined ? { kind: 'invalid', problem } : { kind: 'invalid', problem, id };
}

/**
 * Guesses the id of an unreadable response from its first or last bytes, so that its call fails at once and not at its
 * deadline. A server that sends a wrong id harms only its own calls.
 */
export function guessResponseId(bytes: Uint8Array): number | undefined {
  const head = Buffer.from(bytes.subarray(0, 96)).toString('latin1');
  const tail = Buffer.from(bytes.subarray(-96)).toString('latin1');
  const match =
    /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*[,}]/.exec(head) ??
    /,\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail);
  return match ? Number(match[1]) : undefined;
}
