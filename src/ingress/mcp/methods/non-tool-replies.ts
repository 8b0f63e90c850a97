import type { CallReply } from '../../../broker/broker.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import type { JsonRpcErrorBody } from '../../../domain/outcome.ts';
import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import { INVALID_PARAMS, REFUSED, RESOURCE_NOT_FOUND } from '../protocol/json-rpc.ts';
import { META_DECISION } from '../protocol/versions.ts';
import {
  canReportError,
  completedReply,
  decisionMeta,
  errorReply,
  failureStatus,
  inputRequiredReply,
  invalidStateReply,
  notFoundReply,
  type RefusalDetails,
  type Reply,
  type ReplyStyle,
  type RequestedCall,
  resultReply,
} from './replies.ts';

/**
 * What the outcome of a prompt, a resource or a completion becomes on the wire. Their results have no way to say that
 * they are a refusal, so that a refusal is an error.
 */
export function replyToNonToolCall(reply: CallReply, request: RequestedCall, style: ReplyStyle): Reply {
  const { outcome, callId } = reply;
  switch (outcome.kind) {
    case 'completed':
      if (request.operation.action !== 'read') return completedReply(request.id, outcome, style);
      return resultReply(request.id, withPrivateCacheScope(outcome.result, style.era), style);
    case 'refused':
      if (!outcome.visible) return notFoundReply(request, style.era);
      if (outcome.reason === 'request-state-invalid') return invalidStateReply(request.id);
      return refusalErrorReply(callId, request, outcome);
    case 'input-required':
      return inputRequiredReply(request.id, outcome, style);
    case 'failed':
      return outcome.error && canReportError(outcome, style.era)
        ? errorReply(request.id, errorForEra(outcome.error, style.era), failureStatus(outcome))
        : refusalErrorReply(callId, request, outcome);
  }
}

function refusalErrorReply(decisionId: string, { id }: RequestedCall, refusal: RefusalDetails): Reply {
  const data = { [META_DECISION]: decisionMeta(decisionId, refusal) };
  return errorReply(id, { code: REFUSED, message: refusal.message, data }, 200);
}

/** What was read was read for one principal, whatever its server says of caches (2026-07-28, caching). */
function withPrivateCacheScope(result: JsonObject, era: Era): JsonObject {
  const { ttlMs, cacheScope: _, ...rest } = result;
  return era === 'legacy' ? rest : { ...rest, ttlMs: validTtlMs(ttlMs), cacheScope: 'private' };
}

function validTtlMs(ttlMs: JsonValue | undefined): number {
  return typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) && ttlMs >= 0 ? ttlMs : 0;
}

/** The code for what is not there is another in each era; all else of an error is the server's own. */
function errorForEra(error: JsonRpcErrorBody, era: Era): JsonRpcErrorBody {
  return era === 'modern' && error.code === RESOURCE_NOT_FOUND ? { ...error, code: INVALID_PARAMS } : error;
}
