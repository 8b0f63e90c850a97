import type { DispatchResult } from '../domain/outcome.ts';
import type { FailureMode } from '../domain/posture.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { notSent } from './failed-call.ts';
import type { Response } from './mcp/channel.ts';
import { abortReason } from './mcp/request-deadline.ts';
import type { UpstreamRequest } from './outgoing.ts';

export const driftFailureMode: FailureMode<'tool-drifted'> = {
  control: 'drift',
  trigger: 'a server declares a tool otherwise than it was agreed to, found out as the call is to be sent',
  result: 'tool-drifted',
  means: 'nothing is sent',
  override: null,
};

/** How a call ends that was given up before there was a session for it. */
export function cancelledBeforeSend(signal: CancelSignal): DispatchResult {
  return abortReason(signal) === 'timeout'
    ? notSent('upstream-timeout', 'the deadline came before the server was ready')
    : notSent('cancelled', 'the call was cancelled before it was sent');
}

/** True when the next call needs a new session: the connection, the session, or the credential is no longer good. */
export function isSessionLost(response: Response): boolean {
  if (response.kind === 'error') return response.error.code === -32022;
  if (response.kind !== 'failed') return false;
  const staleCredential = response.failure === 'refused' && (response.status === 401 || response.status === 403);
  return response.failure === 'session-lost' || staleCredential;
}

/** A call goes out a second time only where it surely was not sent, or changes nothing. */
export function isRetryable(response: Response, { target, action }: UpstreamRequest): boolean {
  if (response.kind !== 'failed') return false;
  if (response.failure !== 'lost' && response.failure !== 'session-lost') return false;
  return !response.sent || target.risk === 'read' || action === 'subscribe';
}
