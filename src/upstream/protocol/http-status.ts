import type { IncomingMessage } from './parse-message.ts';
import { type FailedResponse, failedResponse, type Response } from './transport.ts';

/**
 * Reads an HTTP status other than 2xx as a response. An error for our request id counts, whatever the status. Otherwise
 * 400 and 404 mean that the server does not know the session or the era; 401, 403, 429 and 503 that it did not process
 * the call.
 */
export function responseForHttpStatus(status: number, message: IncomingMessage | undefined, id: number): Response {
  if (message?.kind === 'response' && message.id === id && message.response.kind === 'error') {
    return { ...message.response, status };
  }
  if (message?.kind === 'error-without-id' && MODERN_ERROR_CODES.has(message.error.code)) {
    return { kind: 'error', error: message.error, status };
  }
  return { ...failureForStatus(status), status };
}

/** −32020 header mismatch, −32021 missing client capability, −32022 unsupported version: only 2026-07-28 has them. */
export const MODERN_ERROR_CODES: ReadonlySet<number> = new Set([-32020, -32021, -32022]);

function failureForStatus(status: number): FailedResponse {
  const message = `the server responded with HTTP ${status}`;
  if (status === 400 || status === 404) return failedResponse('session-lost', true, message);
  if (status === 401 || status === 403 || status === 429 || status === 503)
    return failedResponse('refused', true, message);
  if (status >= 500) return failedResponse('lost', true, message);
  return failedResponse('protocol', true, status < 400 ? `${message}; redirects are not followed` : message);
}
