import type { CallReply } from '../../../broker/broker.ts';
import type { Operation } from '../../../domain/call.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import type { InputRequired } from '../../../domain/outcome.ts';
import type { Reason } from '../../../domain/reasons.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { RequestId, RpcProblem } from '../protocol/json-rpc.ts';
import {
  HEADER_MISMATCH,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  RESOURCE_NOT_FOUND,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { META_DECISION, META_SERVER_INFO } from '../protocol/versions.ts';
import { toLegacyResult } from './legacy-tools.ts';

/** An answer ready for the wire: serialised once. `status` is for HTTP only. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** For HTTP: when it is worth asking again. */
  readonly retryAfterMs?: number;
}

/** An answer whose larger part is printed already: `head`, the bytes, `tail`. Its status is 200. */
export interface SerializedReply {
  readonly head: string;
  /** Shared with other answers: nobody may write into it. */
  readonly serialized: Uint8Array;
  readonly tail: string;
}

/** Who is answered and as whom we answer. */
export interface ReplyStyle {
  readonly era: Era;
  readonly serverInfo: JsonObject;
}

/** What was asked for, as its answer has to know. */
export interface RequestedCall {
  readonly id: RequestId;
  readonly operation: Operation;
  /** The name, URI or URI template, as it was sent. */
  readonly name: string;
}

/** What the `Outcome` of a tool call becomes on the wire (design: replies; decided question 5). */
export function replyToToolCall(reply: CallReply, request: RequestedCall, style: ReplyStyle): Reply {
  const { outcome, callId } = reply;
  switch (outcome.kind) {
    case 'completed': {
      if (style.era === 'modern' || outcome.result.structuredContent === undefined) {
        return completedReply(request.id, outcome, style);
      }
      const result = toLegacyResult(outcome.result, reply.declaredOutput);
      return result === outcome.result
        ? completedReply(request.id, outcome, style)
        : resultReply(request.id, result, style);
    }
    case 'refused':
      if (!outcome.visible) return notFoundReply(request, style.era);
      if (outcome.reason === 'request-state-invalid') return invalidStateReply(request.id);
      return resultReply(request.id, refusalResult(callId, outcome), style);
    case 'input-required':
      return inputRequiredReply(request.id, outcome, style);
    case 'failed':
      return outcome.error && canReportError(outcome, style.era)
        ? errorReply(request.id, outcome.error, failureStatus(outcome))
        : resultReply(request.id, refusalResult(callId, outcome), style);
  }
}

/** The same for a state that was changed, is another's, was used or is too old: which of them it was the record says. */
export function invalidStateReply(id: RequestId): Reply {
  return invalidParamsReply(id, 'Invalid params: `requestState` is not valid for this request');
}

/** What a client lacks it is told of in the era that has a code for it; before, that code meant nothing. */
export function canReportError({ reason }: RefusalDetails, era: Era): boolean {
  return reason !== 'capability-missing' || era === 'modern';
}

/** 2026-07-28, streamable HTTP: a missing capability is a bad request. */
export function failureStatus({ reason }: RefusalDetails): number {
  return reason === 'capability-missing' ? 400 : 200;
}

/** A question before the result (2026-07-28, patterns/mrtr): the client answers by asking again. */
export function inputRequiredReply(
  id: RequestId,
  { requests, state }: InputRequired,
  { serverInfo }: ReplyStyle,
): Reply {
  const result = {
    resultType: 'input_required',
    ...(Object.keys(requests).length === 0 ? {} : { inputRequests: requests }),
    requestState: state,
    _meta: { [META_SERVER_INFO]: serverInfo },
  };
  return { status: 200, body: `{"jsonrpc":"2.0","id":${serializeId(id)},"result":${JSON.stringify(result)}}` };
}

/** What does not exist and what may not be seen: the same bytes for both. */
export function notFoundReply({ id, operation, name }: RequestedCall, era: Era): Reply {
  // 2026-07-28 has no code of its own for it any more (changelog, SEP-2164).
  const code = operation.kind === 'resource' && era === 'legacy' ? RESOURCE_NOT_FOUND : INVALID_PARAMS;
  const error = { code, message: `${NOT_FOUND_MESSAGES[operation.kind]}: ${name.slice(0, 128)}` };
  // A client finds by it which of its requests that was (server/resources, "Error Handling", since 2025-03-26).
  return errorReply(id, operation.kind === 'resource' ? { ...error, data: { uri: name } } : error, 200);
}

const NOT_FOUND_MESSAGES = {
  tool: 'Unknown tool',
  prompt: 'Unknown prompt',
  resource: 'Resource not found',
  template: 'Unknown resource template',
} as const;

/** What a refusal or a failure says of itself. */
export interface RefusalDetails {
  readonly reason: Reason;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** The decision that a refusal names, for whoever asks the operator. */
export function decisionMeta(decisionId: string, { reason, retryAfterMs }: RefusalDetails): JsonObject {
  return retryAfterMs === undefined ? { decisionId, reason } : { decisionId, reason, retryAfterMs };
}

function refusalResult(decisionId: string, refusal: RefusalDetails): JsonObject {
  return {
    content: [{ type: 'text', text: refusal.message }],
    isError: true,
    _meta: { [META_DECISION]: decisionMeta(decisionId, refusal) },
  };
}

/** A result, with what its era adds to it: `resultType` and our identity since 2026-07-28, neither of them before. */
export function resultReply(id: RequestId, result: JsonObject, style: ReplyStyle): Reply {
  const resultForEra =
    style.era === 'modern' ? withModernFields(result, style.serverInfo) : withoutModernFields(result);
  return { status: 200, body: `{"jsonrpc":"2.0","id":${serializeId(id)},"result":${JSON.stringify(resultForEra)}}` };
}

/** A result whose text is there already is not printed a second time where its era only adds to its end. */
export function completedReply(
  id: RequestId,
  { result, resultText }: { readonly result: JsonObject; readonly resultText?: string },
  style: ReplyStyle,
): Reply {
  const { _meta: meta, resultType } = result;
  if (resultText === undefined || meta !== undefined || resultText === '{}') return resultReply(id, result, style);
  const head = `{"jsonrpc":"2.0","id":${serializeId(id)},"result":`;
  if (style.era === 'legacy') {
    const legacyText = resultType === undefined ? resultText : withoutResultType(resultText);
    return legacyText === undefined ? resultReply(id, result, style) : { status: 200, body: `${head}${legacyText}}` };
  }
  if (resultType !== undefined && resultType !== 'complete') return resultReply(id, result, style);
  const type = resultType === undefined ? ',"resultType":"complete"' : '';
  const tail = `${type},"_meta":{"${META_SERVER_INFO}":${serializedServerInfo(style.serverInfo)}}}}`;
  return { status: 200, body: head + resultText.slice(0, -1) + tail };
}

const RESULT_TYPE = '"resultType":"complete"';

/** The text of a result without its type, where that stands first or last in it, as servers write it. */
function withoutResultType(text: string): string | undefined {
  // At either end of the whole it can be neither in a string nor in an object further in.
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

/** A JSON-RPC error; `id` is null where the message's own could not be read. */
export function errorReply(id: RequestId | undefined, error: object, status: number): Reply {
  return { status, body: `{"jsonrpc":"2.0","id":${serializeId(id)},"error":${JSON.stringify(error)}}` };
}

/** The answer to a message that the protocol refuses before any method is looked at. */
export function problemReply(problem: RpcProblem, id: RequestId | undefined = problem.id): Reply {
  const { code, problem: message, data } = problem;
  return errorReply(id, data === undefined ? { code, message } : { code, message, data }, httpStatusOf(code));
}

/** A method that is not served: in band before 2026-07-28, HTTP 404 since (streamable-http, "Unknown methods"). */
export function unknownMethodReply(id: RequestId, era: Era): Reply {
  return errorReply(id, { code: METHOD_NOT_FOUND, message: 'Method not found' }, era === 'modern' ? 404 : 200);
}

/** Parameters that a method cannot read: in band, on every revision. */
export function invalidParamsReply(id: RequestId, message: string): Reply {
  return errorReply(id, { code: INVALID_PARAMS, message }, 200);
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
