import type { DispatchResult, JsonRpcErrorBody } from '../domain/outcome.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { Reason } from '../domain/reasons.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import type { Era } from './era.ts';
import type { Answer, FailedAnswer, FailureKind } from './mcp/channel.ts';
import { MODERN_ERROR_CODES } from './mcp/http-status.ts';

export const resultSizePosture: PostureRow<'result-too-large'> = {
  guard: 'result size',
  when: 'a result is larger than the tool may send; it is withheld',
  yields: 'result-too-large',
  opens: "a larger `maxResultBytes` in the server's file",
};

const MISSING_CAPABILITY = -32_021;

const REASON_OF: Readonly<Record<FailureKind, Reason>> = {
  timeout: 'upstream-timeout',
  cancelled: 'cancelled',
  lost: 'upstream-lost',
  'session-lost': 'upstream-lost',
  unavailable: 'upstream-unavailable',
  refused: 'upstream-unavailable',
  protocol: 'upstream-protocol',
  'too-large': resultSizePosture.yields,
};

/** A call that failed and surely did nothing, because nothing of it was sent. */
export function notSent(reason: Reason, message: string, retryAfterMs?: number): DispatchResult {
  return { kind: 'failed', reason, message, inDoubt: false, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** What the outside learns of one answer. Results and errors pass verbatim. */
export function dispatchResultOf(answer: Answer, era: Era): DispatchResult {
  if (answer.kind === 'result') {
    const type = answer.result.resultType;
    // 2026-07-28, basic, "Result types": absent means complete. The broker declared nothing that allows another.
    if (era === 'legacy' || type === undefined || type === 'complete') {
      return { kind: 'completed', result: answer.result, resultBytes: answer.bytes };
    }
    return failed(
      'upstream-protocol',
      'the server answered with a kind of result that the broker does not carry',
      true,
    );
  }
  if (answer.kind === 'error') {
    const required = era === 'modern' ? missingCapabilities(answer.error) : undefined;
    if (required !== undefined) return capabilityMissing(required, false);
    // These speak of the broker's own envelope; an agent could not act on them.
    if (era === 'modern' && MODERN_ERROR_CODES.has(answer.error.code)) {
      return failed(
        'upstream-protocol',
        `the server refused the broker's request with error ${answer.error.code}`,
        false,
      );
    }
    return { ...failed('upstream-error', 'the server answered with an error', false), error: answer.error };
  }
  return failedResultOf(answer);
}

function failedResultOf(answer: FailedAnswer): DispatchResult & { kind: 'failed' } {
  // Lost before it was sent: the server was not there.
  const reason = answer.why === 'lost' && !answer.sent ? 'upstream-unavailable' : REASON_OF[answer.why];
  const inDoubt = answer.sent && answer.why !== 'refused';
  return failed(reason, inDoubt ? `${answer.message}; whether the tool acted is not known` : answer.message, inDoubt);
}

/** What the client lacks that the server needs (2026-07-28, basic/index, "Error Codes"). */
function missingCapabilities({ code, data }: JsonRpcErrorBody): JsonObject | undefined {
  if (code !== MISSING_CAPABILITY || !isJsonObject(data)) return undefined;
  return isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : undefined;
}

/** A call that failed for what the agent's client cannot do. The error is for agents that know of it. */
export function capabilityMissing(
  requiredCapabilities: JsonObject,
  inDoubt: boolean,
): DispatchResult & { kind: 'failed' } {
  const message = `the server needs a client that can do more: ${Object.keys(requiredCapabilities).join(', ')}`;
  const error = { code: MISSING_CAPABILITY, message, data: { requiredCapabilities } };
  return { ...failed('capability-missing', message, inDoubt), error };
}

/** A failure that is told of as such. */
export function failed(reason: Reason, message: string, inDoubt: boolean): DispatchResult & { kind: 'failed' } {
  return { kind: 'failed', reason, message, inDoubt };
}
