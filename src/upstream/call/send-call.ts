import { setTimeout as pause } from 'node:timers/promises';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { CallOptions } from '../../domain/mcp/call-options.ts';
import { type ClientContext, isAtLeast, type LogLevel } from '../../domain/mcp/client-context.ts';
import type { DispatchResult } from '../../domain/outcome.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { abortReason } from '../protocol/request-deadline.ts';
import type { MessageListener, RequestOptions, Response } from '../protocol/transport.ts';
import type { FailedSession, Session, SessionConfig } from '../session/session.ts';
import { type Breaker, healthSignalOf } from './breaker.ts';
import { CallListener } from './call-listener.ts';
import { capabilityMissing, notSent, toDispatchResult } from './call-result.ts';
import type { InteractiveCall, SendResult } from './interactive-call.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** The longest that a timer can wait: a call whose server may ask has a deadline of its own. */
const NO_TIMEOUT_MS = 2_147_483_647;

/** A server takes roots in by looking at the directories; nothing tells when it has. */
const ROOTS_SETTLE_MS = 100;

/** How long a server has to ask for roots that are new to it before the call goes out all the same. */
const ROOTS_REQUEST_TIMEOUT_MS = 250;

/** What surrounds one sending of a call. */
export interface SendOptions extends Pick<CallOptions, 'signal' | 'clientContext'> {
  readonly interactiveCall?: InteractiveCall;
}

/** How a call is asked for: its header fields are those of its target. */
export type SessionRequestOptions = Omit<RequestOptions, 'headers' | 'isOpenEnded'>;

/** The place of a session, as a call sees it. */
export interface CallSession {
  readonly config: SessionConfig;
  readonly breaker: Breaker;
  /** What its sessions are told that the client can answer. */
  readonly clientCapabilities: JsonObject;
  readonly session: Session | undefined;
  readonly activeCalls: number;
  open(): Promise<Session | FailedSession>;
  drop(session: Session): Promise<void>;
  request(session: Session, request: UpstreamRequest, options: SessionRequestOptions): Promise<Response>;
  /** True once after the roots of its client changed: the server is told when a call can answer what it then asks. */
  consumeRootsChanged(): boolean;
  readonly countDropped: () => void;
}

/** Sends one call. Never rejects; a lost session is opened again once, and the call sent again where that is safe. */
export async function sendCall(
  managedSession: CallSession,
  request: UpstreamRequest,
  options: SendOptions,
): Promise<SendResult> {
  const { target } = request;
  const { signal, interactiveCall } = options;
  let deadlineMs: number | undefined;
  const previousSession = managedSession.session;
  let isReopened = false;
  for (let attempt = 1; ; attempt += 1) {
    const session = managedSession.session ?? (await openUnlessAborted(managedSession, signal));
    if (session === 'over') return { result: cancelledBeforeSend(signal) };
    if (session.kind === 'failed') {
      const message = `\`${target.server}\`: ${session.message}`;
      return { result: notSent('upstream-unavailable', message, session.retryAfterMs) };
    }
    if (!session.matchesPin(target)) {
      const missingCapabilities = session.lists(target) ? {} : missingCapabilitiesOf(managedSession);
      if (Object.keys(missingCapabilities).length > 0) return { result: capabilityMissing(missingCapabilities, false) };
      // Definitions that were agreed to after this session was opened are those of a newer process.
      if (attempt === 1 && managedSession.activeCalls === 1 && session === previousSession) {
        await managedSession.drop(session);
        continue;
      }
      return { result: notSent(driftFailureMode.result, `the ${target.kind} is no longer what was agreed to`) };
    }
    const { clientContext } = options;
    const listener =
      clientContext &&
      (await prepare(managedSession, session, {
        signal,
        clientContext,
        interactiveCall,
        previousSession: previousSession,
      }));
    const nowMs = managedSession.config.clock.monotonicMs();
    deadlineMs ??= nowMs + target.timeoutMs;
    interactiveCall?.deadline.start(target.timeoutMs);
    const { aliveCount } = managedSession.breaker;
    const { era } = session.negotiated;
    const response = await managedSession.request(session, request, {
      signal,
      timeoutMs: interactiveCall === undefined ? Math.max(1, deadlineMs - nowMs) : NO_TIMEOUT_MS,
      maxBytes: target.maxResultBytes,
      listener,
    });
    recordHealth(managedSession, response, aliveCount);
    if (isSessionLost(response)) void managedSession.drop(session);
    const hasLostSession = response.kind === 'failed' && response.failure === 'session-lost';
    // A connection that broke may be followed by a session that is gone: each is mended once.
    const shouldRetry =
      (hasLostSession ? !isReopened : attempt === 1) && isRetryable(response, request) && !signal.aborted;
    isReopened ||= hasLostSession;
    if (!shouldRetry) return { result: toDispatchResult(response, era), response, era };
  }
}

interface PrepareOptions extends Pick<SendOptions, 'signal'> {
  readonly clientContext: ClientContext;
  readonly interactiveCall: InteractiveCall | undefined;
  /** The session that was open when the call came. */
  readonly previousSession: Session | undefined;
}

/** Whatever has to be so before the call goes out, and who hears of it. */
async function prepare(
  managedSession: CallSession,
  session: Session,
  { signal, clientContext, interactiveCall, previousSession }: PrepareOptions,
): Promise<MessageListener> {
  const { maxNotifications, sharing } = managedSession.config.server;
  const { logLevel } = clientContext;
  if (logLevel !== undefined && sharing === 'principal') await setLogLevel(session, logLevel, signal);
  if (interactiveCall !== undefined)
    await handleInputRequestsBeforeCall(managedSession, session, { interactiveCall, previousSession });
  const inputRequests = interactiveCall?.listenerFor(session.transport);
  return new CallListener(clientContext, { maxNotifications, onDropped: managedSession.countDropped, inputRequests });
}

/** What a server asks as its session begins (its roots, say) it has to know before it works. */
async function handleInputRequestsBeforeCall(
  managedSession: CallSession,
  session: Session,
  {
    interactiveCall,
    previousSession,
  }: Pick<PrepareOptions, 'previousSession'> & { readonly interactiveCall: InteractiveCall },
): Promise<void> {
  const hasRootsChanged = managedSession.consumeRootsChanged();
  if (hasRootsChanged) void session.transport.notify('notifications/roots/list_changed');
  // Over pipes its first question comes some turns after its first listing.
  const mayStillRequest =
    session !== previousSession &&
    managedSession.clientCapabilities.roots !== undefined &&
    !interactiveCall.hasRequested;
  if (hasRootsChanged || mayStillRequest) await interactiveCall.whenRequested(ROOTS_REQUEST_TIMEOUT_MS);
  const hasRequested = interactiveCall.hasRequested && (hasRootsChanged || session !== previousSession);
  await interactiveCall.whenIdle();
  if (hasRequested) await pause(ROOTS_SETTLE_MS);
}

/** What the server would be told of for others, and is not for this client. */
function missingCapabilitiesOf({ config: host, clientCapabilities }: CallSession): JsonObject {
  return Object.fromEntries(
    Object.entries(host.server.discoveryCapabilities).filter(([name]) => clientCapabilities[name] === undefined),
  );
}

function recordHealth({ breaker, config: host }: CallSession, response: Response, aliveCountBefore: number): void {
  // A process that ended is the back-off's to judge.
  if (response.kind === 'failed' && response.failure === 'lost' && host.server.transport.type === 'stdio') return;
  breaker.record(healthSignalOf(response, breaker.aliveCount === aliveCountBefore));
}

async function openUnlessAborted(
  managedSession: CallSession,
  signal: CancelSignal,
): Promise<Session | FailedSession | 'over'> {
  if (signal.aborted) return 'over';
  let onAbort: () => void = () => {};
  const aborted = new Promise<'over'>((resolve) => {
    onAbort = () => resolve('over');
  });
  signal.addEventListener('abort', onAbort, { once: true });
  const opened = await Promise.race([managedSession.open(), aborted]);
  signal.removeEventListener('abort', onAbort);
  return opened;
}

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

const SET_LEVEL_TIMEOUT_MS = 2_000;
const MAX_LEVEL_RESPONSE_BYTES = 64 * 1024;

/** The lowest level that each session was ever asked for; what an agent does not want its own link leaves out. */
const requestedLevels = new WeakMap<Session, LogLevel>();

/**
 * Asks a legacy server for the log messages that an agent wants, once for each lower level: its level is that of the whole
 * session. A server that refuses logs as it likes. Never rejects.
 */
export async function setLogLevel(session: Session, level: LogLevel, signal: CancelSignal): Promise<void> {
  const { era, capabilities } = session.negotiated;
  if (era !== 'legacy' || !isJsonObject(capabilities.logging)) return;
  const previous = requestedLevels.get(session);
  if (previous !== undefined && isAtLeast(level, previous)) return;
  requestedLevels.set(session, level);
  const limits = { signal, timeoutMs: SET_LEVEL_TIMEOUT_MS, maxBytes: MAX_LEVEL_RESPONSE_BYTES };
  await session.transport.request('logging/setLevel', { level }, limits);
}
