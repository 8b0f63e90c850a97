import { type Answer, type FailedAnswer, failedAnswer } from './channel.ts';
import type { IncomingMessage } from './incoming-message.ts';

/**
 * What an HTTP status other than 2xx means. An answer to our very request counts whatever the status; a stray 400 or
 * 404 means that the server does not know our session or our era; 401, 403, 429 and 503 that it did not take the call.
 */
export function answerOfStatus(status: number, message: IncomingMessage | undefined, id: number): Answer {
  if (message?.kind === 'answer' && message.id === id && message.answer.kind === 'error') {
    return { ...message.answer, status };
  }
  if (message?.kind === 'stray-error' && MODERN_ERROR_CODES.has(message.error.code)) {
    return { kind: 'error', error: message.error, status };
  }
  return { ...failureOfStatus(status), status };
}

/** −32020 header mismatch, −32021 missing client capability, −32022 unsupported version: only 2026-07-28 has them. */
export const MODERN_ERROR_CODES: ReadonlySet<number> = new Set([-32020, -32021, -32022]);

function failureOfStatus(status: number): FailedAnswer {
  const message = `the server answered HTTP ${status}`;
  if (status === 400 || status === 404) return failedAnswer('session-lost', true, message);
  if (status === 401 || status === 403 || status === 429 || status === 503)
    return failedAnswer('refused', true, message);
  if (status >= 500) return failedAnswer('lost', true, message);
  return failedAnswer('protocol', true, status < 400 ? `${message}; redirects are not followed` : message);
}
