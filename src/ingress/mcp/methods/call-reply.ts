import type { CallReply } from '../../../broker/broker.ts';
import type { Operation } from '../../../domain/call.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import type { InputRequired, JsonRpcErrorBody, Outcome } from '../../../domain/outcome.ts';
import type { Reason } from '../../../domain/reasons.ts';
import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import { INVALID_PARAMS, REFUSED, RESOURCE_NOT_FOUND, type RequestId } from '../protocol/json-rpc.ts';
import { META_DECISION, META_SERVER_INFO } from '../protocol/versions.ts';
import { toLegacyToolResult } from './legacy-tools.ts';
import {
  completedReply,
  errorReply,
  invalidParamsReply,
  type Reply,
  type ReplyStyle,
  resultReply,
  serializedResultReply,
} from './reply.ts';

/** The request that a call came from. */
export interface CallOrigin {
  readonly id: RequestId;
  readonly operation: Operation;
  /** Name, URI or URI template, as it was sent. */
  readonly name: string;
}

/** Makes the response to a call from its outcome. */
export function callReply(reply: CallReply, origin: CallOrigin, style: ReplyStyle): Reply {
  const { outcome, callId } = reply;
  switch (outcome.kind) {
    case 'completed':
      return completedCallReply({ outcome, declaredOutput: reply.declaredOutput }, origin, style);
    case 'refused': {
      if (!outcome.visible) return notFoundReply(origin, style.era);
      // One response for a malformed, mismatched, expired or reused state. The ledger records which it was.
      if (outcome.reason === 'request-state-invalid') {
        return invalidParamsReply(origin.id, 'Invalid params: `requestState` is not valid for this request');
      }
      const refusal = refusalReply({ callId, details: outcome }, origin, style);
      // Overload is a condition of the broker and not of the call: HTTP clients and proxies see it by the status.
      if (outcome.reason !== 'overloaded') return refusal;
      return { ...refusal, status: 503, retryAfterMs: outcome.retryAfterMs ?? 0 };
    }
    case 'input-required':
      return inputRequiredReply(origin.id, outcome, style);
    case 'failed': {
      if (!outcome.error || !isReportable(outcome, style.era)) {
        return refusalReply({ callId, details: outcome }, origin, style);
      }
      const error = origin.operation.kind === 'tool' ? outcome.error : errorForEra(outcome.error, style.era);
      // 2026-07-28, streamable HTTP: a missing capability is a bad request.
      return errorReply(origin.id, error, outcome.reason === 'capability-missing' ? 400 : 200);
    }
  }
}

function completedCallReply(
  {
    outcome,
    declaredOutput,
  }: { readonly outcome: Extract<Outcome, { kind: 'completed' }>; readonly declaredOutput: JsonValue | undefined },
  { id, operation }: CallOrigin,
  style: ReplyStyle,
): Reply {
  if (operation.action === 'read') return resultReply(id, withPrivateCacheScope(outcome.result, style.era), style);
  if (operation.kind !== 'tool' || style.era === 'modern') return completedReply(id, outcome, style);
  const result = toLegacyToolResult(outcome.result, declaredOutput);
  return result === outcome.result ? completedReply(id, outcome, style) : resultReply(id, result, style);
}

/** A refusal, or a failure without an error of the tool server. */
interface RefusalDetails {
  readonly reason: Reason;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** Only the result of a tool has `isError`. For any other operation a refusal is a JSON-RPC error. */
function refusalReply(
  { callId, details }: { readonly callId: string; readonly details: RefusalDetails },
  { id, operation }: CallOrigin,
  style: ReplyStyle,
): Reply {
  const { reason, message, retryAfterMs } = details;
  const decision: JsonObject =
    retryAfterMs === undefined ? { decisionId: callId, reason } : { decisionId: callId, reason, retryAfterMs };
  if (operation.kind !== 'tool') {
    return errorReply(id, { code: REFUSED, message, data: { [META_DECISION]: decision } }, 200);
  }
  const content = [{ type: 'text', text: message }];
  return resultReply(id, { content, isError: true, _meta: { [META_DECISION]: decision } }, style);
}

/** The code for a missing capability exists since 2026-07-28. */
function isReportable({ reason }: RefusalDetails, era: Era): boolean {
  return reason !== 'capability-missing' || era === 'modern';
}

/** Maps the code for a missing resource, which differs between the eras. The rest is the tool server's own error. */
function errorForEra(error: JsonRpcErrorBody, era: Era): JsonRpcErrorBody {
  return era === 'modern' && error.code === RESOURCE_NOT_FOUND ? { ...error, code: INVALID_PARAMS } : error;
}

/** An input request before the result (2026-07-28, patterns/mrtr). The client responds by a retry of its request. */
function inputRequiredReply(id: RequestId, { requests, state }: InputRequired, { serverInfo }: ReplyStyle): Reply {
  const result = {
    resultType: 'input_required',
    ...(Object.keys(requests).length === 0 ? {} : { inputRequests: requests }),
    requestState: state,
    _meta: { [META_SERVER_INFO]: serverInfo },
  };
  return serializedResultReply(id, JSON.stringify(result));
}

/** One response, byte for byte, for a target that does not exist and for one that the agent may not see. */
function notFoundReply({ id, operation, name }: CallOrigin, era: Era): Reply {
  // 2026-07-28 has no code of its own for a missing resource (changelog, SEP-2164).
  const code = operation.kind === 'resource' && era === 'legacy' ? RESOURCE_NOT_FOUND : INVALID_PARAMS;
  const error = { code, message: `${NOT_FOUND_MESSAGES[operation.kind]}: ${name.slice(0, 128)}` };
  // The URI in `data` tells the client which resource it was (server/resources, "Error Handling", since 2025-03-26).
  return errorReply(id, operation.kind === 'resource' ? { ...error, data: { uri: name } } : error, 200);
}

const NOT_FOUND_MESSAGES = {
  tool: 'Unknown tool',
  prompt: 'Unknown prompt',
  resource: 'Resource not found',
  template: 'Unknown resource template',
} as const;

/** A resource was read for one principal, whatever its server states about caching (2026-07-28, caching). */
function withPrivateCacheScope(result: JsonObject, era: Era): JsonObject {
  const { ttlMs, cacheScope: _, ...rest } = result;
  return era === 'legacy' ? rest : { ...rest, ttlMs: validTtlMs(ttlMs), cacheScope: 'private' };
}

function validTtlMs(ttlMs: JsonValue | undefined): number {
  return typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) && ttlMs >= 0 ? ttlMs : 0;
}
