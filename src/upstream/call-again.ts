import type { DispatchResult } from '../domain/outcome.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { notSent } from './failed-call.ts';
import type { Answer } from './mcp/channel.ts';
import { abortKind } from './mcp/request-deadline.ts';
import type { Outgoing } from './outgoing.ts';

export const driftPosture: PostureRow<'tool-drifted'> = {
  guard: 'drift',
  when: 'a server declares a tool otherwise than it was agreed to, found out as the call is to be sent',
  yields: 'tool-drifted',
  means: 'nothing is sent',
  opens: null,
};

/** How a call ends that was given up before there was a session for it. */
export function overBefore(signal: CancelSignal): DispatchResult {
  return abortKind(signal) === 'timeout'
    ? notSent('upstream-timeout', 'the deadline came before the server was ready')
    : notSent('cancelled', 'the call was cancelled before it was sent');
}

/** True when the next call needs a new session: the connection, the session, or the credential is no longer good. */
export function isSessionGone(answer: Answer): boolean {
  if (answer.kind === 'error') return answer.error.code === -32022;
  if (answer.kind !== 'failed') return false;
  const staleCredential = answer.why === 'refused' && (answer.status === 401 || answer.status === 403);
  return answer.why === 'session-lost' || staleCredential;
}

/** A call goes out a second time only where it surely was not sent, or changes nothing. */
export function mayBeSentAgain(answer: Answer, { target, action }: Outgoing): boolean {
  if (answer.kind !== 'failed') return false;
  if (answer.why !== 'lost' && answer.why !== 'session-lost') return false;
  return !answer.sent || target.risk === 'read' || action === 'subscribe';
}
