import { isQuestion } from '../../domain/question.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Channel, ChannelEvents, RequestListener } from './channel.ts';
import type { IncomingMessage } from './incoming-message.ts';
import { answerToServerText, tellsOfListChange } from './message-dress.ts';

type Request = Extract<IncomingMessage, { kind: 'request' }>;
type Notification = Extract<IncomingMessage, { kind: 'notification' }>;

/** The requests that what came over one way may belong to. */
export interface Hearers {
  /** Who listens for the request of that id, while it is under way. */
  listenerOf(id: number): RequestListener | undefined;
  /** True where what names no request can belong to one alone. */
  readonly hasSole: boolean;
  /** Who listens for that one, where anybody does. */
  readonly soleListener: RequestListener | undefined;
}

/** Hears one notification: what tells of a change is the session's, all else belongs to a request or is dropped. */
export function hearNotification(message: Notification, hearers: Hearers, events: ChannelEvents): void {
  const { method, params } = message;
  if (tellsOfListChange(method)) events.onToolsChanged();
  else if (method === 'notifications/resources/updated' && typeof params.uri === 'string') {
    events.onResourceUpdated(params.uri);
  } else if (method === 'notifications/elicitation/complete') {
    const { elicitationId: id } = params;
    if (typeof id !== 'string' || events.onElicitationComplete?.(id) !== true) events.onDropped();
  } else if (!takesBack(message, hearers, events) && !handOn(message, hearers)) events.onDropped();
}

/**
 * Hears one request of a server: a question goes to whose call it is about.
 * @returns what the channel itself has to answer; undefined where another does, or where the server asked too often.
 */
export function hearRequest(
  { id, method, params }: Request,
  { soleListener }: Hearers,
  { events, channel }: { readonly events: ChannelEvents; readonly channel: Pick<Channel, 'respond'> },
): string | undefined {
  if (isQuestion(method)) {
    if (soleListener?.onRequest !== undefined) {
      soleListener.onRequest(id, method, params);
      return undefined;
    }
    if (events.onQuestion?.({ id, method, params }, channel) === true) return undefined;
  }
  if (soleListener?.mayBeAsked?.() !== false) return answerToServerText(id, method);
  events.onDropped();
  return undefined;
}

const PROGRESS = Buffer.from('{"jsonrpc":"2.0","method":"notifications/progress"');
const MESSAGE = Buffer.from('{"jsonrpc":"2.0","method":"notifications/message"');

/**
 * Tells progress and log messages by their first bytes, as most servers write them, so that a flood of them which nobody
 * is told of need not be read. What begins so is no answer: an answer has no method.
 */
export function noticeIn(bytes: Buffer): 'progress' | 'message' | undefined {
  if (bytes.length > PROGRESS.length && bytes.subarray(0, PROGRESS.length).equals(PROGRESS)) return 'progress';
  return bytes.length > MESSAGE.length && bytes.subarray(0, MESSAGE.length).equals(MESSAGE) ? 'message' : undefined;
}

/** MCP, "Cancellation": either side may take its own requests back. */
function takesBack(
  { method, params: { requestId } }: Notification,
  { soleListener }: Hearers,
  events: ChannelEvents,
): boolean {
  if (method !== 'notifications/cancelled') return false;
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return false;
  return soleListener?.onWithdrawn?.(requestId) === true || events.onWithdrawn?.(requestId) === true;
}

/**
 * Hands a notification to the request that it belongs to: progress by our own token, a log message where only one request
 * can have caused it (2026-07-28, server/utilities/logging: on pipes nothing ties the two together).
 * @returns false where it belongs to none.
 */
function handOn({ method, params }: Notification, hearers: Hearers): boolean {
  if (method === 'notifications/progress') {
    const { progressToken: token, _meta: _, ...progress } = params;
    const listener = typeof token === 'number' ? hearers.listenerOf(token) : undefined;
    if (listener?.wantsProgress !== true) return false;
    listener.onProgress(progress);
    return true;
  }
  if (method === 'notifications/subscriptions/acknowledged') {
    const listener = hearers.listenerOf(subscriptionIn(params));
    listener?.onAcknowledged?.(params);
    return listener?.onAcknowledged !== undefined;
  }
  if (method !== 'notifications/message') return false;
  hearers.soleListener?.onLog(params);
  return hearers.hasSole;
}

/** The id of the listen request that a message is tagged with; our ids are numbers, which a server may write as texts. */
function subscriptionIn({ _meta: meta }: JsonObject): number {
  return isJsonObject(meta) ? Number(meta['io.modelcontextprotocol/subscriptionId']) : Number.NaN;
}
