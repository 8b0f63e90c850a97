import type { Era } from '../../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import {
  HEADER_MISMATCH,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  type JsonRpcProblem,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  type RequestId,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { META_SERVER_INFO } from '../protocol/versions.ts';

/** A serialized JSON-RPC response. `status` is for HTTP only. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** For HTTP: becomes `Retry-After`. */
  readonly retryAfterMs?: number;
}

/** A response whose larger part was serialized before: `head`, the bytes, `tail`. Its status is 200. */
export interface SerializedReply {
  readonly head: string;
  /** Shared with other responses: MUST NOT be written to. */
  readonly serialized: Uint8Array;
  readonly tail: string;
}

export interface ReplyStyle {
  readonly era: Era;
  readonly serverInfo: JsonObject;
}

/** Makes the response to a request. Since 2026-07-28 the result has `resultType` and the server's identity; before, neither. */
export function resultReply(id: RequestId, result: JsonObject, style: ReplyStyle): Reply {
  const resultForEra =
    style.era === 'modern' ? withModernFields(result, style.serverInfo) : withoutModernFields(result);
  return serializedResultReply(id, JSON.stringify(resultForEra));
}

/** Like `resultReply`, for a result that is serialized and complete for its era. */
export function serializedResultReply(id: RequestId, resultText: string): Reply {
  return { status: 200, body: `{"jsonrpc":"2.0","id":${serializeId(id)},"result":${resultText}}` };
}

/** Like `resultReply`, but reuses the text of a result that is already serialized, if the era only adds to its end. */
export function completedReply(
  id: RequestId,
  { result, resultText }: { readonly result: JsonObject; readonly resultText?: string },
  style: ReplyStyle,
): Reply {
  const { _meta: meta, resultType } = result;
  if (resultText === undefined || meta !== undefined || resultText === '{}') return resultReply(id, result, style);
  if (style.era === 'legacy') {
    const legacyText = resultType === undefined ? resultText : withoutResultType(resultText);
    return legacyText === undefined ? resultReply(id, result, style) : serializedResultReply(id, legacyText);
  }
  if (resultType !== undefined && resultType !== 'complete') return resultReply(id, result, style);
  const type = resultType === undefined ? ',"resultType":"complete"' : '';
  const tail = `${type},"_meta":{"${META_SERVER_INFO}":${serializedServerInfo(style.serverInfo)}}}`;
  return serializedResultReply(id, resultText.slice(0, -1) + tail);
}

const RESULT_TYPE = '"resultType":"complete"';

/** Removes the type from the text of a result. @returns undefined unless it is the first or last member, as servers write it. */
function withoutResultType(text: string): string | undefined {
  // At either end of the text it can be neither inside a string nor in a nested object.
  if (text.startsWith(`{${RESULT_TYPE},`)) return `{${text.slice(RESULT_TYPE.length + 2)}`;
  return text.endsWith(`,${RESULT_TYPE}}`) ? `${text.slice(0, -RESULT_TYPE.length - 2)}}` : undefined;
}

const serializedServerInfos = new WeakMap<JsonObject, string>();

function serializedServerInfo(serverInfo: JsonObject): string {
  let text = serializedServerInfos.get(serverInfo);
  if (text === undefined) {
    text = JSON.stringify(serverInfo);
    serializedServerInfos.set(serverInfo, text);
  }
  return text;
}

function withModernFields(result: JsonObject, serverInfo: JsonObject): JsonObject {
  const meta = result._meta;
  return {
    ...result,
    resultType: 'complete',
    _meta: isJsonObject(meta) ? { ...meta, [META_SERVER_INFO]: serverInfo } : { [META_SERVER_INFO]: serverInfo },
  };
}

function withoutModernFields(result: JsonObject): JsonObject {
  const meta = result._meta;
  const namesServer = isJsonObject(meta) && meta[META_SERVER_INFO] !== undefined;
  if (result.resultType === undefined && !namesServer) return result;
  const { resultType: _, ...rest } = result;
  if (!namesServer) return rest;
  const { [META_SERVER_INFO]: __, ...restOfMeta } = meta;
  if (Object.keys(restOfMeta).length > 0) return { ...rest, _meta: restOfMeta };
  const { _meta: ___, ...withoutMeta } = rest;
  return withoutMeta;
}

/** Makes an error response. Its id is null if that of the message could not be read. */
export function errorReply(id: RequestId | undefined, error: object, status: number): Reply {
  return { status, body: `{"jsonrpc":"2.0","id":${serializeId(id)},"error":${JSON.stringify(error)}}` };
}

/** Makes the response to a message that violates the protocol. */
export function problemReply(problem: JsonRpcProblem, id: RequestId | undefined = problem.id): Reply {
  const { code, problem: message, data } = problem;
  return errorReply(id, data === undefined ? { code, message } : { code, message, data }, httpStatusOf(code));
}

/** Makes the response to an unknown method. Since 2026-07-28 its HTTP status is 404 (streamable-http, "Unknown methods"). */
export function unknownMethodReply(id: RequestId, era: Era): Reply {
  return errorReply(id, { code: METHOD_NOT_FOUND, message: 'Method not found' }, era === 'modern' ? 404 : 200);
}

/** Makes the response to invalid parameters. Its HTTP status is 200 in every revision. */
export function invalidParamsReply(id: RequestId, message: string): Reply {
  return errorReply(id, { code: INVALID_PARAMS, message }, 200);
}

/** Makes the response to a request that ended with a defect of the broker. It contains nothing of the defect. */
export function internalErrorReply(id: RequestId | undefined): Reply {
  return errorReply(id, { code: INTERNAL_ERROR, message: 'Internal error' }, 500);
}

function httpStatusOf(code: number): number {
  switch (code) {
    case PARSE_ERROR:
    case INVALID_REQUEST:
    case INVALID_PARAMS:
    case HEADER_MISMATCH:
    case UNSUPPORTED_PROTOCOL_VERSION:
      return 400;
    default:
      return 200;
  }
}

export function serializeId(id: RequestId | undefined): string {
  if (id === undefined) return 'null';
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}
