import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { DispatchResult, JsonRpcErrorBody } from '../../domain/outcome.ts';
import type { Reason } from '../../domain/reasons.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { MODERN_ERROR_CODES } from '../protocol/http-status.ts';
import type { FailedResponse, FailureKind, Response } from '../protocol/transport.ts';

export const resultSizeFailureMode: FailureMode<'result-too-large'> = {
  control: 'result size',
  trigger: 'a result is larger than the tool may send; it is withheld',
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

/** A call that failed and surely did nothing, because nothing of it was sent. */
export function notSent(reason: Reason, message: string, retryAfterMs?: number): DispatchResult {
  return { kind: 'failed', reason, message, inDoubt: false, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** What the outside learns of one answer. Results and errors pass verbatim. */
export function toDispatchResult(response: Response, era: Era): DispatchResult {
  if (response.kind === 'result') {
    const type = response.result.resultType;
    // 2026-07-28, basic, "Result types": absent means complete. The broker declared nothing that allows another.
    if (era === 'legacy' || type === undefined || type === 'complete') {
      return { kind: 'completed', result: response.result, resultBytes: response.bytes };
    }
    return failedResult(
      'upstream-protocol',
      'the server answered with a kind of result that the broker does not carry',
      true,
    );
  }
  if (response.kind === 'error') {
    const requiredCapabilities = era === 'modern' ? requiredCapabilitiesIn(response.error) : undefined;
    if (requiredCapabilities !== undefined) return capabilityMissing(requiredCapabilities, false);
    // These speak of the broker's own envelope; an agent could not act on them.
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

function toFailedResult(response: FailedResponse): DispatchResult & { kind: 'failed' } {
  // Lost before it was sent: the server was not there.
  const reason =
    response.failure === 'lost' && !response.sent ? 'upstream-unavailable' : REASON_FOR_FAILURE[response.failure];
  const inDoubt = response.sent && response.failure !== 'refused';
  return failedResult(
    reason,
    inDoubt ? `${response.message}; whether the tool acted is not known` : response.message,
    inDoubt,
  );
}

/** What the client lacks that the server needs (2026-07-28, basic/index, "Error Codes"). */
function requiredCapabilitiesIn({ code, data }: JsonRpcErrorBody): JsonObject | undefined {
  if (code !== MISSING_CLIENT_CAPABILITY || !isJsonObject(data)) return undefined;
  return isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : undefined;
}

/** A call that failed for what the agent's client cannot do. The error is for agents that know of it. */
export function capabilityMissing(
  requiredCapabilities: JsonObject,
  inDoubt: boolean,
): DispatchResult & { kind: 'failed' } {
  const message = `the server needs a client that can do more: ${Object.keys(requiredCapabilities).join(', ')}`;
  const error = { code: MISSING_CLIENT_CAPABILITY, message, data: { requiredCapabilities } };
  return { ...failedResult('capability-missing', message, inDoubt), error };
}

/** A failure that is told of as such. */
export function failedResult(reason: Reason, message: string, inDoubt: boolean): DispatchResult & { kind: 'failed' } {
  return { kind: 'failed', reason, message, inDoubt };
}
