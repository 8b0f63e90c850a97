import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { parseStrictJson, type StrictJsonProblem } from '../../../lib/json/strict-json.ts';

/** Codes of JSON-RPC 2.0 §5.1 and of MCP 2026-07-28 (basic/index, "Error Codes"). */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
export const HEADER_MISMATCH = -32020;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;
/** Codes that legacy SDKs send for a missing and for an unknown session; JSON-RPC leaves the range to servers. */
export const SESSION_REQUIRED = -32000;
export const SESSION_NOT_FOUND = -32001;
/** Resource not found, up to 2025-11-25. */
export const RESOURCE_NOT_FOUND = -32002;
/** A refusal of a method whose result has no `isError`. Outside the ranges that JSON-RPC and MCP reserve. */
export const REFUSED = -31_000;

/** Id of a JSON-RPC request: a string of at most 256 characters or a safe integer. */
export type RequestId = string | number;

/** A JSON-RPC 2.0 request (with `id`) or notification (without). */
export interface JsonRpcMessage {
  readonly id?: RequestId;
  readonly method: string;
  readonly params: JsonObject;
}

export interface JsonRpcRequest extends JsonRpcMessage {
  readonly id: RequestId;
}

export function isRequest(message: JsonRpcMessage): message is JsonRpcRequest {
  return message.id !== undefined;
}

/** A protocol error in a message. `problem` contains no part of the message. */
export interface JsonRpcProblem {
  readonly code: number;
  readonly problem: string;
  /** Id of the message, if it could be read. */
  readonly id?: RequestId | undefined;
  readonly data?: JsonObject;
}

/** Response of a client to an input request. */
export interface JsonRpcResponse {
  readonly id: RequestId;
  /** The whole message, with either `result` or `error`, of any type. */
  readonly body: JsonObject;
}

type Rejection = { readonly ok: false } & JsonRpcProblem;
type ParsedMessage = { readonly ok: true; readonly message: JsonRpcMessage };

export interface MessageLimits {
  /** Largest message in bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth: number;
}

const MAX_ID_LENGTH = 256;
const MAX_METHOD_LENGTH = 128;

/**
 * Parses one JSON-RPC message. A request or notification has exactly the members `jsonrpc`, `id`, `method`, `params`, so
 * that no tool server can see a member that the broker did not (CVE-2026-27896).
 */
export function parseMessage(
  bytes: Uint8Array | string,
  limits: MessageLimits,
): ParsedMessage | Rejection | { readonly ok: true; readonly response: JsonRpcResponse } {
  const value = parseObject(bytes, limits);
  if ('ok' in value) return value;
  const { id, method, result, error } = value.object;
  const isResponse = method === undefined && (result === undefined) !== (error === undefined);
  if (!isResponse || value.object.jsonrpc !== '2.0' || !isRequestId(id ?? null)) return validateEnvelope(value.object);
  // `as`: isRequestId was checked in the line before.
  return { ok: true, response: { id: id as RequestId, body: value.object } };
}

/** A response that matches no pending request. */
export const UNMATCHED_RESPONSE: JsonRpcProblem = {
  code: INVALID_REQUEST,
  problem: 'the response matches no pending request',
};

function parseObject(bytes: Uint8Array | string, limits: MessageLimits): { readonly object: JsonObject } | Rejection {
  const parsed = parseStrictJson(bytes, limits);
  if (!parsed.ok) return { ok: false, ...JSON_PROBLEMS[parsed.problem] };
  const value = parsed.value;
  if (Array.isArray(value)) {
    // 2025-03-26 defined batches and 2025-06-18 removed them. One message is one decision.
    return rejection('batches are not supported: send one message at a time');
  }
  if (!isJsonObject(value)) return rejection('the message is not an object');
  return { object: value };
}

const JSON_PROBLEMS: Readonly<Record<StrictJsonProblem, JsonRpcProblem>> = {
  'too-large': { code: INVALID_REQUEST, problem: 'the message is too large' },
  'invalid-utf8': { code: PARSE_ERROR, problem: 'the message is not UTF-8' },
  'too-deep': { code: PARSE_ERROR, problem: 'the message is nested too deeply' },
  syntax: { code: PARSE_ERROR, problem: 'the message is not JSON' },
  'lone-surrogate': { code: PARSE_ERROR, problem: 'the message contains half of a surrogate pair' },
  'duplicate-key': { code: INVALID_REQUEST, problem: 'an object of the message has a duplicate key' },
  'forbidden-key': {
    code: INVALID_REQUEST,
    problem: 'an object of the message has a forbidden key, such as `__proto__`',
  },
  'unsafe-number': { code: INVALID_REQUEST, problem: 'the message contains a number that JSON parsers would round' },
};

function validateEnvelope(object: JsonObject): ParsedMessage | Rejection {
  const { id, method, params = NO_PARAMS } = object;
  if (id !== undefined && !isRequestId(id)) {
    return rejection('`id` is neither a string of at most 256 characters nor a safe integer');
  }
  for (const key of Object.keys(object)) {
    if (isEnvelopeKey(key)) continue;
    return rejection(
      isEnvelopeKey(foldKey(key))
        ? 'a member of the message is spelled in another case'
        : 'the message has an unknown member',
      id,
    );
  }
  if (object.jsonrpc !== '2.0') return rejection('`jsonrpc` is not "2.0"', id);
  if (typeof method !== 'string' || method === '' || method.length > MAX_METHOD_LENGTH) {
    return rejection('`method` is not a string of 1 to 128 characters', id);
  }
  if (!isJsonObject(params)) return rejection('`params` is not an object', id);
  return { ok: true, message: id === undefined ? { method, params } : { id, method, params } };
}

const NO_PARAMS: JsonObject = Object.freeze({});

function isEnvelopeKey(key: string): boolean {
  return key === 'method' || key === 'params' || key === 'id' || key === 'jsonrpc';
}

/** Folds case and compatibility forms. Upper case comes first: it maps letters such as `ſ` that lower case keeps. */
function foldKey(key: string): string {
  return key.length > 64 ? key : key.normalize('NFKC').toUpperCase().toLowerCase();
}

function isRequestId(value: JsonValue): value is RequestId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}

function rejection(problem: string, id?: RequestId): Rejection {
  return { ok: false, code: INVALID_REQUEST, problem, ...(id === undefined ? {} : { id }) };
}
