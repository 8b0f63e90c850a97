import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { DispatchResult, JsonRpcErrorBody } from '../../domain/outcome.ts';
import type { Reason } from '../../domain/reasons.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { MODERN_ERROR_CODES } from '../protocol/http-status.ts';
import { abortReason } from '../protocol/request-deadline.ts';
import type { FailedResponse, FailureKind, Response } from '../protocol/transport.ts';

export const resultSizeFailureMode: FailureMode<'result-too-large'> = {
  control: 'result size',
  trigger: 'a result is larger than `maxResultBytes` of the tool; it is withheld',
  result: 'result-too-large',
  override: "a larger `maxResultBytes` in the server's file",
};

const MISSING_CLIENT_CAPABILITY = -32_021;

const REASON_FOR_FAILURE: Readonly<Record<FailureKind, Reason>> = {
  timeout: 'upstream-timeout',
  cancelled: 'cancelled',
  lost: 'upstream-lost',
  'session-lost': 'upstream-lost',
  unavailable: 'upstream-unavailable',
  refused: 'upstream-unavailable',
  protocol: 'upstream-protocol',
  'too-large': resultSizeFailureMode.result,
};

/** A dispatch that ended without a result. */
export type FailedDispatch = DispatchResult & { kind: 'failed' };

/** Makes the result of a call that surely did nothing, because nothing of it was sent. */
export function notSent(reason: Reason, message: string, retryAfterMs?: number): FailedDispatch {
  return { kind: 'failed', reason, message, inDoubt: false, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Makes the result of a call whose signal was aborted before anything was sent. */
export function cancelledBeforeSend(signal: CancelSignal): FailedDispatch {
  return abortReason(signal) === 'timeout'
    ? notSent('upstream-timeout', 'the deadline passed before the server was ready')
    : notSent('cancelled', 'the call was cancelled before it was sent');
}

/** Converts the response of a server to the result of the call. Results and errors pass verbatim. */
export function toDispatchResult(response: Response, era: Era): DispatchResult {
  if (response.kind === 'result') {
    const type = response.result.resultType;
    // 2026-07-28, basic, "Result types": absent means complete. The broker declares nothing that allows another type.
    if (era === 'legacy' || type === undefined || type === 'complete') {
      return { kind: 'completed', result: response.result, resultBytes: response.bytes };
    }
    return failedResult(
      'upstream-protocol',
      'the server answered with a type of result that the broker does not support',
      true,
    );
  }
  if (response.kind === 'error') {
    const requiredCapabilities = era === 'modern' ? requiredCapabilitiesIn(response.error) : undefined;
    if (requiredCapabilities !== undefined) return capabilityMissing(requiredCapabilities, false);
    // These are about the broker's own envelope: an agent could not act on them.
    if (era === 'modern' && MODERN_ERROR_CODES.has(response.error.code)) {
      return failedResult(
        'upstream-protocol',
        `the server refused the broker's request with error ${response.error.code}`,
        false,
      );
    }
    return { ...failedResult('upstream-error', 'the server answered with an error', false), error: response.error };
  }
  return toFailedResult(response);
}

function toFailedResult(response: FailedResponse): FailedDispatch {
  // A request that is lost before it is sent means that the server is not reachable.
  const reason =
    response.failure === 'lost' && !response.sent ? 'upstream-unavailable' : REASON_FOR_FAILURE[response.failure];
  const inDoubt = response.sent && response.failure !== 'refused';
  return failedResult(reason, inDoubt ? `${response.message}; the tool may have acted` : response.message, inDoubt);
}

/** Reads the capabilities that the server requires and the client lacks (2026-07-28, basic/index, "Error Codes"). */
function requiredCapabilitiesIn({ code, data }: JsonRpcErrorBody): JsonObject | undefined {
  if (code !== MISSING_CLIENT_CAPABILITY || !isJsonObject(data)) return undefined;
  return isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : undefined;
}

/** Makes the failure of a call that needs more client capabilities. Modern agents get the error too. */
export function capabilityMissing(requiredCapabilities: JsonObject, inDoubt: boolean): FailedDispatch {
  const message = `the server needs client capabilities that are not declared: ${Object.keys(requiredCapabilities).join(', ')}`;
  const error = { code: MISSING_CLIENT_CAPABILITY, message, data: { requiredCapabilities } };
  return { ...failedResult('capability-missing', message, inDoubt), error };
}

/** Makes the failure of a call that was sent. */
export function failedResult(reason: Reason, message: string, inDoubt: boolean): FailedDispatch {
  return { kind: 'failed', reason, message, inDoubt };
}
