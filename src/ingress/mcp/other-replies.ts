import type { CallReply } from '../../broker/broker.ts';
import type { JsonRpcErrorBody } from '../../domain/outcome.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { Era } from './modern-envelope.ts';
import {
  type AskedFor,
  completedReply,
  decisionOf,
  errorReply,
  inputRequiredReply,
  type Refused,
  type Reply,
  type ReplyStyle,
  resultReply,
  staleStateReply,
  statusOfFailure,
  tellsOfError,
  unknownReply,
} from './replies.ts';
import { META_DECISION } from './revisions.ts';
import { INVALID_PARAMS, REFUSED, RESOURCE_NOT_FOUND } from './rpc-error.ts';

/**
 * What the outcome of a prompt, a resource or a completion becomes on the wire. Their results have no way to say that
 * they are a refusal, so that a refusal is an error.
 */
export function replyToOther(reply: CallReply, request: AskedFor, style: ReplyStyle): Reply {
  const { outcome, callId } = reply;
  switch (outcome.kind) {
    case 'completed':
      if (request.verb.action !== 'read') return completedReply(request.id, outcome, style);
      return resultReply(request.id, cached(outcome.result, style.era), style);
    case 'refused':
      if (!outcome.visible) return unknownReply(request, style.era);
      if (outcome.reason === 'request-state-invalid') return staleStateReply(request.id);
      return refusedReply(callId, request, outcome);
    case 'input-required':
      return inputRequiredReply(request.id, outcome, style);
    case 'failed':
      return outcome.error && tellsOfError(outcome, style.era)
        ? errorReply(request.id, errorOfEra(outcome.error, style.era), statusOfFailure(outcome))
        : refusedReply(callId, request, outcome);
  }
}

function refusedReply(decisionId: string, { id }: AskedFor, refusal: Refused): Reply {
  const data = { [META_DECISION]: decisionOf(decisionId, refusal) };
  return errorReply(id, { code: REFUSED, message: refusal.message, data }, 200);
}

/** What was read was read for one principal, whatever its server says of caches (2026-07-28, caching). */
function cached(result: JsonObject, era: Era): JsonObject {
  const { ttlMs, cacheScope: _, ...rest } = result;
  return era === 'legacy' ? rest : { ...rest, ttlMs: lifetime(ttlMs), cacheScope: 'private' };
}

function lifetime(ttlMs: JsonValue | undefined): number {
  return typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) && ttlMs >= 0 ? ttlMs : 0;
}

/** The code for what is not there is another in each era; all else of an error is the server's own. */
function errorOfEra(error: JsonRpcErrorBody, era: Era): JsonRpcErrorBody {
  return era === 'modern' && error.code === RESOURCE_NOT_FOUND ? { ...error, code: INVALID_PARAMS } : error;
}
