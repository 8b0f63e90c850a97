import { isInputRequestMethod } from '../../domain/mcp/input-request.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { encodeDefaultResponse } from './encode-request.ts';
import type { IncomingMessage } from './parse-message.ts';
import type { MessageListener, Transport, TransportEvents } from './transport.ts';

/** A request of a server. */
export type IncomingRequest = Extract<IncomingMessage, { kind: 'request' }>;
/** A notification of a server. */
export type IncomingNotification = Extract<IncomingMessage, { kind: 'notification' }>;

/** The requests that the messages of one connection or stream may belong to. */
export interface PendingListeners {
  /** Listener of the request with that id, while it is in flight. */
  listenerOf(id: number): MessageListener | undefined;
  /** True if a message that names no request can only belong to one. */
  readonly hasSoleRequest: boolean;
  /** Listener of that one request, if it has one. */
  readonly soleListener: MessageListener | undefined;
}

/** Receivers of the messages that belong to no request, and the transport on which they came. */
export interface MessageRoute {
  readonly events: TransportEvents;
  readonly transport: Pick<Transport, 'respond'>;
}

/**
 * Gives a request or notification of a server to the call it belongs to, or else to the session; drops what fits
 * neither.
 * @returns the response that the transport has to send itself; undefined for a notification, for a request that another
 * component answers, and for one beyond the limit.
 */
export function routeMessage(
  message: IncomingRequest | IncomingNotification,
  listeners: PendingListeners,
  route: MessageRoute,
): string | undefined {
  if (message.kind === 'request') return routeRequest(message, listeners, route);
  routeNotification(message, listeners, route.events);
  return undefined;
}

const LIST_CHANGED_METHODS: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
]);

function routeNotification(message: IncomingNotification, listeners: PendingListeners, events: TransportEvents): void {
  const { method, params } = message;
  if (LIST_CHANGED_METHODS.has(method)) events.onListChanged();
  else if (method === 'notifications/resources/updated' && typeof params.uri === 'string') {
    events.onResourceUpdated(params.uri);
  } else if (method === 'notifications/elicitation/complete') {
    const { elicitationId: id } = params;
    if (typeof id !== 'string' || events.onElicitationComplete?.(id) !== true) events.onDropped();
  } else if (!routeCancellation(message, listeners, events) && !deliver(message, listeners)) events.onDropped();
}

function routeRequest(
  { id, method, params }: IncomingRequest,
  { soleListener }: PendingListeners,
  { events, transport }: MessageRoute,
): string | undefined {
  if (isInputRequestMethod(method)) {
    if (soleListener?.onRequest !== undefined) {
      soleListener.onRequest(id, method, params);
      return undefined;
    }
    if (events.onInputRequest?.({ id, method, params }, transport) === true) return undefined;
  }
  if (soleListener?.acceptsRequest?.() !== false) return encodeDefaultResponse(id, method);
  events.onDropped();
  return undefined;
}

const PROGRESS = Buffer.from('{"jsonrpc":"2.0","method":"notifications/progress"');
const MESSAGE = Buffer.from('{"jsonrpc":"2.0","method":"notifications/message"');

/**
 * Recognizes progress and log messages by their first bytes, as most servers write them, so that a flood of them need
 * not be parsed if no agent wants them. A message that begins this way is never a response: a response has no method.
 */
export function peekNotification(bytes: Buffer): 'progress' | 'message' | undefined {
  if (bytes.length > PROGRESS.length && bytes.subarray(0, PROGRESS.length).equals(PROGRESS)) return 'progress';
  return bytes.length > MESSAGE.length && bytes.subarray(0, MESSAGE.length).equals(MESSAGE) ? 'message' : undefined;
}

/** MCP, "Cancellation": either side may cancel its own requests. */
function routeCancellation(
  { method, params: { requestId } }: IncomingNotification,
  { soleListener }: PendingListeners,
  events: TransportEvents,
): boolean {
  if (method !== 'notifications/cancelled') return false;
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return false;
  return soleListener?.onCancelled?.(requestId) === true || events.onCancelled?.(requestId) === true;
}

/**
 * Gives a notification to its request: progress by the token we sent, a log message only if exactly one request can have
 * caused it (2026-07-28, server/utilities/logging: on stdio nothing links the two).
 * @returns false if it belongs to no request.
 */
function deliver({ method, params }: IncomingNotification, listeners: PendingListeners): boolean {
  if (method === 'notifications/progress') {
    const { progressToken: token, _meta: _, ...progress } = params;
    const listener = typeof token === 'number' ? listeners.listenerOf(token) : undefined;
    if (listener?.wantsProgress !== true) return false;
    listener.onProgress(progress);
    return true;
  }
  if (method === 'notifications/subscriptions/acknowledged') {
    const listener = listeners.listenerOf(subscriptionIdOf(params));
    listener?.onAcknowledged?.(params);
    return listener?.onAcknowledged !== undefined;
  }
  if (method !== 'notifications/message') return false;
  listeners.soleListener?.onLog(params);
  return listeners.hasSoleRequest;
}

/** The id of the listen request in a message's `_meta`. Our ids are numbers; a server may send them as strings. */
function subscriptionIdOf({ _meta: meta }: JsonObject): number {
  return isJsonObject(meta) ? Number(meta['io.modelcontextprotocol/subscriptionId']) : Number.NaN;
}
