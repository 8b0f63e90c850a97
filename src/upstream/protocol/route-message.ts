import { isInputRequestMethod } from '../../domain/mcp/input-request.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { encodeDefaultResponse, isListChanged } from './json-rpc.ts';
import type { IncomingMessage } from './parse-message.ts';
import type { MessageListener, Transport, TransportEvents } from './transport.ts';

type Request = Extract<IncomingMessage, { kind: 'request' }>;
type Notification = Extract<IncomingMessage, { kind: 'notification' }>;

/** The requests that what came over one way may belong to. */
export interface PendingListeners {
  /** Who listens for the request of that id, while it is under way. */
  listenerOf(id: number): MessageListener | undefined;
  /** True where what names no request can belong to one alone. */
  readonly hasSoleRequest: boolean;
  /** Who listens for that one, where anybody does. */
  readonly soleListener: MessageListener | undefined;
}

/** Hears one notification: what tells of a change is the session's, all else belongs to a request or is dropped. */
export function routeNotification(message: Notification, listeners: PendingListeners, events: TransportEvents): void {
  const { method, params } = message;
  if (isListChanged(method)) events.onListChanged();
  else if (method === 'notifications/resources/updated' && typeof params.uri === 'string') {
    events.onResourceUpdated(params.uri);
  } else if (method === 'notifications/elicitation/complete') {
    const { elicitationId: id } = params;
    if (typeof id !== 'string' || events.onElicitationComplete?.(id) !== true) events.onDropped();
  } else if (!routeCancellation(message, listeners, events) && !deliver(message, listeners)) events.onDropped();
}

/**
 * Hears one request of a server: a question goes to whose call it is about.
 * @returns what the channel itself has to answer; undefined where another does, or where the server asked too often.
 */
export function routeRequest(
  { id, method, params }: Request,
  { soleListener }: PendingListeners,
  { events, transport }: { readonly events: TransportEvents; readonly transport: Pick<Transport, 'respond'> },
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
 * Tells progress and log messages by their first bytes, as most servers write them, so that a flood of them which nobody
 * is told of need not be read. What begins so is no answer: an answer has no method.
 */
export function peekNotification(bytes: Buffer): 'progress' | 'message' | undefined {
  if (bytes.length > PROGRESS.length && bytes.subarray(0, PROGRESS.length).equals(PROGRESS)) return 'progress';
  return bytes.length > MESSAGE.length && bytes.subarray(0, MESSAGE.length).equals(MESSAGE) ? 'message' : undefined;
}

/** MCP, "Cancellation": either side may take its own requests back. */
function routeCancellation(
  { method, params: { requestId } }: Notification,
  { soleListener }: PendingListeners,
  events: TransportEvents,
): boolean {
  if (method !== 'notifications/cancelled') return false;
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return false;
  return soleListener?.onCancelled?.(requestId) === true || events.onCancelled?.(requestId) === true;
}

/**
 * Hands a notification to the request that it belongs to: progress by our own token, a log message where only one request
 * can have caused it (2026-07-28, server/utilities/logging: on pipes nothing ties the two together).
 * @returns false where it belongs to none.
 */
function deliver({ method, params }: Notification, listeners: PendingListeners): boolean {
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

/** The id of the listen request that a message is tagged with; our ids are numbers, which a server may write as texts. */
function subscriptionIdOf({ _meta: meta }: JsonObject): number {
  return isJsonObject(meta) ? Number(meta['io.modelcontextprotocol/subscriptionId']) : Number.NaN;
}
