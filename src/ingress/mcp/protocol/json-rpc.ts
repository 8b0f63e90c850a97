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
/** Of the range that legacy servers use as they like; what their SDKs say of a bad or missing session. */
export const SESSION_REQUIRED = -32000;
export const SESSION_NOT_FOUND = -32001;
/** What 2025-11-25 and before say of a resource that is not there. */
export const RESOURCE_NOT_FOUND = -32002;
/** Our own, outside of what JSON-RPC and MCP keep for themselves: a refusal where a result cannot say that it is one. */
export const REFUSED = -31_000;

/** A JSON-RPC id as we admit it: a string of at most 256 characters or a safe integer. */
export type RequestId = string | number;

/** One JSON-RPC 2.0 request (with `id`) or notification (without). */
export interface RpcMessage {
  readonly id?: RequestId;
  readonly method: string;
  readonly params: JsonObject;
}

/** A refusal of a message by the protocol itself. `problem` holds no part of the message. */
export interface RpcProblem {
  readonly code: number;
  readonly problem: string;
  /** The id of the message where one could be read. */
  readonly id?: RequestId | undefined;
  readonly data?: JsonObject;
}

export type ParseResult = { readonly ok: true; readonly message: RpcMessage } | ({ readonly ok: false } & RpcProblem);

/** The answer of a client to a question of ours. */
export interface RpcResponse {
  readonly id: RequestId;
  /** The whole message; what of it is a result or an error its reader says. */
  readonly body: JsonObject;
}

export interface EnvelopeLimits {
  /** Largest message in bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth: number;
}

const MAX_ID_LENGTH = 256;
const MAX_METHOD_LENGTH = 128;

/** Like `parseEnvelope`, for clients that may be asked: the answer to a question is let through too. */
export function parseMessage(
  bytes: Uint8Array | string,
  limits: EnvelopeLimits,
): ParseResult | { readonly ok: true; readonly response: RpcResponse } {
  const value = parseObject(bytes, limits);
  if ('ok' in value) return value;
  const { id, method, result, error } = value.object;
  const isResponse = method === undefined && (result === undefined) !== (error === undefined);
  if (!isResponse || value.object.jsonrpc !== '2.0' || !isRequestId(id ?? null)) return validateEnvelope(value.object);
  // `as`: the line before has just said so.
  return { ok: true, response: { id: id as RequestId, body: value.object } };
}

/** What a message is that answers a question which nobody asked. */
export const UNMATCHED_RESPONSE: RpcProblem = {
  code: INVALID_REQUEST,
  problem: 'the message answers nothing that was asked',
};

/**
 * Parses one JSON-RPC message strictly: exactly the members `jsonrpc`, `id`, `method`, `params`, so that no upstream
 * can see a member that we did not (CVE-2026-27896).
 */
export function parseEnvelope(bytes: Uint8Array | string, limits: EnvelopeLimits): ParseResult {
  const value = parseObject(bytes, limits);
  return 'ok' in value ? value : validateEnvelope(value.object);
}

function parseObject(
  bytes: Uint8Array | string,
  limits: EnvelopeLimits,
): { readonly object: JsonObject } | Extract<ParseResult, { ok: false }> {
  const parsed = parseStrictJson(bytes, limits);
  if (!parsed.ok) return { ok: false, ...JSON_PROBLEMS[parsed.problem] };
  const value = parsed.value;
  if (Array.isArray(value)) {
    // 2025-03-26 had batches and 2025-06-18 took them back; one message, one decision.
    return rejection('batches are not served: send one message at a time');
  }
  if (!isJsonObject(value)) return rejection('the message is not an object');
  return { object: value };
}

const JSON_PROBLEMS: Readonly<Record<StrictJsonProblem, RpcProblem>> = {
  'too-large': { code: INVALID_REQUEST, problem: 'the message is too large' },
  'invalid-utf8': { code: PARSE_ERROR, problem: 'the message is not UTF-8' },
  'too-deep': { code: PARSE_ERROR, problem: 'the message nests too deep' },
  syntax: { code: PARSE_ERROR, problem: 'the message is not JSON' },
  'lone-surrogate': { code: PARSE_ERROR, problem: 'the message holds half of a surrogate pair' },
  'duplicate-key': { code: INVALID_REQUEST, problem: 'the message names a key twice' },
  'forbidden-key': { code: INVALID_REQUEST, problem: 'the message holds a key that no object may have' },
  'unsafe-number': { code: INVALID_REQUEST, problem: 'the message holds a number that JSON readers would change' },
};

function validateEnvelope(object: JsonObject): ParseResult {
  const { id, method, params = NO_PARAMS } = object;
  if (id !== undefined && !isRequestId(id)) {
    return rejection('`id` is neither a string of at most 256 characters nor a safe integer');
  }
  for (const key of Object.keys(object)) {
    if (isEnvelopeKey(key)) continue;
    return rejection(
      isEnvelopeKey(foldKey(key)) ? 'the message spells a member in another case' : 'the message has a foreign member',
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

/** Folds case and compatibility forms, `ſ` and the Kelvin sign among them: upper case first maps what lower case leaves. */
function foldKey(key: string): string {
  return key.length > 64 ? key : key.normalize('NFKC').toUpperCase().toLowerCase();
}

function isRequestId(value: JsonValue): value is RequestId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}

function rejection(problem: string, id?: RequestId): Extract<ParseResult, { ok: false }> {
  return { ok: false, code: INVALID_REQUEST, problem, ...(id === undefined ? {} : { id }) };
}
