import type { CallReply } from '../../broker/broker.ts';
import type { Reason } from '../../domain/reasons.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RequestId, RpcProblem } from './envelope.ts';
import type { Era } from './modern-envelope.ts';
import { META_DECISION, META_SERVER_INFO } from './revisions.ts';
import {
  HEADER_MISMATCH,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from './rpc-error.ts';

/** An answer ready for the wire: serialised once. `status` is for HTTP only. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** An answer whose larger part is printed already: `head`, the bytes, `tail`. Its status is 200. */
export interface PrintedReply {
  readonly head: string;
  /** Shared with other answers: nobody may write into it. */
  readonly printed: Uint8Array;
  readonly tail: string;
}

/** Who is answered and as whom we answer. */
export interface ReplyStyle {
  readonly era: Era;
  readonly serverInfo: JsonObject;
}

/** What `Outcome` becomes on the wire (design: replies; decided question 5). */
export function replyToCall(
  reply: CallReply,
  request: { readonly id: RequestId; readonly name: string },
  style: ReplyStyle,
): Reply {
  const { outcome, callId } = reply;
  switch (outcome.kind) {
    case 'completed':
      return resultReply(request.id, outcome.result, style);
    case 'refused':
      if (!outcome.visible) return unknownToolReply(request);
      return resultReply(request.id, refusalResult(callId, outcome), style);
    case 'failed':
      return outcome.error
        ? errorReply(request.id, outcome.error, 200)
        : resultReply(request.id, refusalResult(callId, outcome), style);
  }
}

/** A tool that does not exist and one that may not be seen: the same bytes for both. */
function unknownToolReply({ id, name }: { readonly id: RequestId; readonly name: string }): Reply {
  return errorReply(id, { code: INVALID_PARAMS, message: `Unknown tool: ${name.slice(0, 128)}` }, 200);
}

function refusalResult(
  decisionId: string,
  refusal: { readonly reason: Reason; readonly message: string; readonly retryAfterMs?: number },
): JsonObject {
  const decision: JsonObject =
    refusal.retryAfterMs === undefined
      ? { decisionId, reason: refusal.reason }
      : { decisionId, reason: refusal.reason, retryAfterMs: refusal.retryAfterMs };
  return {
    content: [{ type: 'text', text: refusal.message }],
    isError: true,
    _meta: { [META_DECISION]: decision },
  };
}

/** A result, with what its era adds to it: `resultType` and our identity since 2026-07-28, neither of them before. */
export function resultReply(id: RequestId, result: JsonObject, style: ReplyStyle): Reply {
  const dressed = style.era === 'modern' ? dressModern(result, style.serverInfo) : undressLegacy(result);
  return { status: 200, body: `{"jsonrpc":"2.0","id":${idJson(id)},"result":${JSON.stringify(dressed)}}` };
}

function dressModern(result: JsonObject, serverInfo: JsonObject): JsonObject {
  const meta = result._meta;
  return {
    ...result,
    resultType: 'complete',
    _meta: isJsonObject(meta) ? { ...meta, [META_SERVER_INFO]: serverInfo } : { [META_SERVER_INFO]: serverInfo },
  };
}

function undressLegacy(result: JsonObject): JsonObject {
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

/** A JSON-RPC error; `id` is null where the message's own could not be read. */
export function errorReply(id: RequestId | undefined, error: object, status: number): Reply {
  return { status, body: `{"jsonrpc":"2.0","id":${idJson(id)},"error":${JSON.stringify(error)}}` };
}

/** The answer to a message that the protocol refuses before any method is looked at. */
export function problemReply(problem: RpcProblem, id: RequestId | undefined = problem.id): Reply {
  const { code, problem: message, data } = problem;
  return errorReply(id, data === undefined ? { code, message } : { code, message, data }, statusOf(code));
}

/** A method that is not served: in band before 2026-07-28, HTTP 404 since (streamable-http, "Unknown methods"). */
export function unknownMethodReply(id: RequestId, era: Era): Reply {
  return errorReply(id, { code: METHOD_NOT_FOUND, message: 'Method not found' }, era === 'modern' ? 404 : 200);
}

/** Parameters that a method cannot read: in band, on every revision. */
export function invalidParamsReply(id: RequestId, message: string): Reply {
  return errorReply(id, { code: INVALID_PARAMS, message }, 200);
}

function statusOf(code: number): number {
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

export function idJson(id: RequestId | undefined): string {
  if (id === undefined) return 'null';
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}
