import { setTimeout as pause } from 'node:timers/promises';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import { type ClientContext, isAtLeast, type LogLevel } from '../domain/mcp/client-context.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import { upstreamName } from '../domain/target.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject } from '../lib/json/json.ts';
import { breakerFailureMode, healthSignalOf } from './call/breaker.ts';
import { CallListener } from './call/call-listener.ts';
import {
  cancelledBeforeSend,
  capabilityMissing,
  type FailedDispatch,
  notSent,
  toDispatchResult,
} from './call/dispatch-result.ts';
import { InteractiveCall, type SendResult } from './call/interactive-call.ts';
import { toMcpRequest, type UpstreamRequest } from './call/upstream-request.ts';
import type { ManagedSession } from './managed-session.ts';
import type { MessageListener, Response } from './protocol/transport.ts';
import type { FailedSession, Session } from './session/session.ts';

/** Longest delay of a Node timer; an interactive call has a deadline of its own. */
const NO_TIMEOUT_MS = 2_147_483_647;

/** A server that received roots reads the directories; no message says when it is done. */
const ROOTS_SETTLE_MS = 100;

/** Longest wait for a server to request roots that are new to it, before the call is sent anyway. */
const ROOTS_REQUEST_TIMEOUT_MS = 250;

/** Error code of 2026-07-28: the server does not support the protocol version of the session. */
const UNSUPPORTED_PROTOCOL_VERSION = -32_022;

export const driftFailureMode: FailureMode<'tool-drifted'> = {
  control: 'drift',
  trigger: 'at dispatch, the server declares the tool differently from its pin',
  result: 'tool-drifted',
  means: 'nothing is sent',
  override: null,
};

interface SendOptions extends Pick<DispatchOptions, 'signal' | 'clientContext'> {
  readonly interactiveCall?: InteractiveCall;
}

/**
 * Sends one call in a session, and opens the session first if there is none. Never rejects. A lost session is opened
 * again once, and the call is sent again only if that is safe. While the breaker is open nothing is sent.
 */
export async function sendCall(
  managedSession: ManagedSession,
  request: UpstreamRequest,
  options: DispatchOptions,
): Promise<DispatchResult> {
  // Before the breaker: a cancelled call must not take its one trial.
  if (options.signal.aborted) return cancelledBeforeSend(options.signal);
  const { breaker, config } = managedSession;
  const isTrial = !breaker.isClosed;
  if (isTrial) {
    const waitMs = breaker.acquireTrial();
    if (waitMs > 0) {
      const message = `\`${config.server.name}\` failed repeatedly; nothing is sent to it for a moment`;
      return notSent(breakerFailureMode.result, message, waitMs);
    }
  }
  const { signal, clientContext, inputRequests } = options;
  managedSession.beginCall();
  try {
    if (clientContext === undefined || inputRequests === undefined) {
      return (await sendWithRetry(managedSession, request, options)).result;
    }
    const interactiveCall = new InteractiveCall({ handler: inputRequests, clientContext, signal, clock: config.clock });
    return await sendInteractive(managedSession, request, interactiveCall);
  } finally {
    managedSession.endCall();
    if (isTrial) breaker.endTrial();
  }
}

/** Sends a call whose server may request input, again with each set of input responses, until the server returns its result. */
async function sendInteractive(
  managedSession: ManagedSession,
  request: UpstreamRequest,
  interactiveCall: InteractiveCall,
): Promise<DispatchResult> {
  managedSession.addInteractiveCall(interactiveCall);
  const { clientContext, deadline } = interactiveCall;
  const options = { signal: deadline.signal, clientContext, interactiveCall };
  try {
    let current = request;
    for (;;) {
      const next = await interactiveCall.handleResult(await sendWithRetry(managedSession, current, options));
      if (next.kind === 'ended') return next.result;
      current = next.retryParams === undefined ? request : { ...request, retryParams: next.retryParams };
    }
  } finally {
    managedSession.removeInteractiveCall(interactiveCall);
  }
}

async function sendWithRetry(
  managedSession: ManagedSession,
  request: UpstreamRequest,
  options: SendOptions,
): Promise<SendResult> {
  const { target } = request;
  const { signal, interactiveCall, clientContext } = options;
  const previousSession = managedSession.session;
  let deadlineMs: number | undefined;
  let isReopened = false;
  for (let attempt = 1; ; attempt += 1) {
    // Only here is it decided whether a call was cancelled before it was sent.
    const session = signal.aborted
      ? 'cancelled'
      : (managedSession.session ?? (await openSession(managedSession, signal)));
    if (session === 'cancelled') return { result: cancelledBeforeSend(signal) };
    if (session.kind === 'failed') return { result: notOpened(target.server, session) };
    if (!session.matchesPin(target)) {
      const result = pinMismatch(managedSession, session, request);
      // The session may have been opened before the operator agreed to a new pin: a newer process may match.
      const mayBeStale = attempt === 1 && managedSession.activeCalls === 1 && session === previousSession;
      if (!mayBeStale || result.reason !== driftFailureMode.result) return { result };
      await managedSession.drop(session);
      continue;
    }
    const listener =
      clientContext &&
      (await prepare(managedSession, session, { signal, clientContext, interactiveCall, previousSession }));
    const nowMs = managedSession.config.clock.monotonicMs();
    deadlineMs ??= nowMs + target.timeoutMs;
    interactiveCall?.deadline.start(target.timeoutMs);
    const { aliveCount } = managedSession.breaker;
    const { era } = session.negotiated;
    const { method, params, headers } = toMcpRequest(request, era);
    const timeoutMs = interactiveCall === undefined ? Math.max(1, deadlineMs - nowMs) : NO_TIMEOUT_MS;
    const requestOptions = { signal, timeoutMs, maxBytes: target.maxResultBytes, listener, headers };
    const response =
      request.action === 'subscribe'
        ? await managedSession.sendSubscribe(session, upstreamName(target), requestOptions)
        : await session.transport.request(method, params, requestOptions);
    recordHealth(managedSession, response, aliveCount);
    if (isSessionLost(response)) void managedSession.drop(session);
    const hasLostSession = response.kind === 'failed' && response.failure === 'session-lost';
    // A broken connection may be followed by a lost session: each is retried once.
    const mayRetry = hasLostSession ? !isReopened : attempt === 1;
    isReopened ||= hasLostSession;
    if (!mayRetry || signal.aborted || !isRetryable(response, request)) {
      return { result: toDispatchResult(response, era), response, era };
    }
  }
}

interface PrepareOptions extends Pick<SendOptions, 'signal'> {
  readonly clientContext: ClientContext;
  readonly interactiveCall: InteractiveCall | undefined;
  /** Session that was open when the call arrived. */
  readonly previousSession: Session | undefined;
}

/** Completes everything that must precede the call, and creates the listener of its messages. */
async function prepare(
  managedSession: ManagedSession,
  session: Session,
  { signal, clientContext, interactiveCall, previousSession }: PrepareOptions,
): Promise<MessageListener> {
  const { maxNotifications, sharing } = managedSession.config.server;
  const { logLevel } = clientContext;
  if (logLevel !== undefined && sharing === 'principal') await setLogLevel(session, logLevel, signal);
  if (interactiveCall !== undefined) {
    await handleInputRequestsBeforeCall(managedSession, session, { interactiveCall, previousSession });
  }
  const inputRequests = interactiveCall?.listenerFor(session.transport);
  return new CallListener(clientContext, { maxNotifications, onDropped: managedSession.countDropped, inputRequests });
}

/** Answers what a server requests as its session begins, such as roots, because it needs the response before it works. */
async function handleInputRequestsBeforeCall(
  managedSession: ManagedSession,
  session: Session,
  {
    interactiveCall,
    previousSession,
  }: Pick<PrepareOptions, 'previousSession'> & { readonly interactiveCall: InteractiveCall },
): Promise<void> {
  const hasRootsChanged = managedSession.consumeRootsChanged();
  if (hasRootsChanged) void session.transport.notify('notifications/roots/list_changed');
  // Over stdio the first request of the server arrives some turns of the event loop after its first listing.
  const mayStillRequest =
    session !== previousSession &&
    managedSession.clientCapabilities.roots !== undefined &&
    !interactiveCall.hasRequested;
  if (hasRootsChanged || mayStillRequest) await interactiveCall.whenRequested(ROOTS_REQUEST_TIMEOUT_MS);
  const hasRequested = interactiveCall.hasRequested && (hasRootsChanged || session !== previousSession);
  await interactiveCall.whenIdle();
  if (hasRequested) await pause(ROOTS_SETTLE_MS);
}

function notOpened(server: string, { message, retryAfterMs }: FailedSession): DispatchResult {
  return notSent('upstream-unavailable', `\`${server}\`: ${message}`, retryAfterMs);
}

/** Explains a target that the session does not declare as pinned: a server may hide it from clients that can do less. */
function pinMismatch(
  { config, clientCapabilities }: ManagedSession,
  session: Session,
  { target }: UpstreamRequest,
): FailedDispatch {
  if (!session.lists(target)) {
    const undeclared = Object.entries(config.server.discoveryCapabilities).filter(
      ([name]) => clientCapabilities[name] === undefined,
    );
    if (undeclared.length > 0) return capabilityMissing(Object.fromEntries(undeclared), false);
  }
  return notSent(driftFailureMode.result, `the ${target.kind} is no longer what was agreed to`);
}

function recordHealth({ breaker, config }: ManagedSession, response: Response, aliveCountBefore: number): void {
  // Back-off, not the breaker, judges a process that ended.
  if (response.kind === 'failed' && response.failure === 'lost' && config.server.transport.type === 'stdio') return;
  breaker.record(healthSignalOf(response, breaker.aliveCount === aliveCountBefore));
}

async function openSession(
  managedSession: ManagedSession,
  signal: CancelSignal,
): Promise<Session | FailedSession | 'cancelled'> {
  let onAbort: () => void = () => {};
  const cancelled = new Promise<'cancelled'>((resolve) => {
    onAbort = () => resolve('cancelled');
  });
  signal.addEventListener('abort', onAbort, { once: true });
  const opened = await Promise.race([managedSession.open(), cancelled]);
  signal.removeEventListener('abort', onAbort);
  return opened;
}

/** True if the next call needs a new session: the connection, the session or the credential is no longer valid. */
function isSessionLost(response: Response): boolean {
  if (response.kind === 'error') return response.error.code === UNSUPPORTED_PROTOCOL_VERSION;
  if (response.kind !== 'failed') return false;
  const hasStaleCredential = response.failure === 'refused' && (response.status === 401 || response.status === 403);
  return response.failure === 'session-lost' || hasStaleCredential;
}

/** True if a call may be sent a second time: nothing of it was sent, or it changes nothing. */
function isRetryable(response: Response, { target, action }: UpstreamRequest): boolean {
  if (response.kind !== 'failed') return false;
  if (response.failure !== 'lost' && response.failure !== 'session-lost') return false;
  return !response.sent || target.risk === 'read' || action === 'subscribe';
}

const SET_LEVEL_TIMEOUT_MS = 2_000;
const MAX_LEVEL_RESPONSE_BYTES = 64 * 1024;

/** Lowest level requested of each session. Agents that want less get less: their client context filters. */
const requestedLevels = new WeakMap<Session, LogLevel>();

/**
 * Requests log messages of a legacy server, once for each lower level: the level holds for the whole session. Never
 * rejects. A server that rejects `setLevel` keeps its own level.
 */
async function setLogLevel(session: Session, level: LogLevel, signal: CancelSignal): Promise<void> {
  const { era, capabilities } = session.negotiated;
  if (era !== 'legacy' || !isJsonObject(capabilities.logging)) return;
  const previous = requestedLevels.get(session);
  if (previous !== undefined && isAtLeast(level, previous)) return;
  requestedLevels.set(session, level);
  const limits = { signal, timeoutMs: SET_LEVEL_TIMEOUT_MS, maxBytes: MAX_LEVEL_RESPONSE_BYTES };
  await session.transport.request('logging/setLevel', { level }, limits);
}
