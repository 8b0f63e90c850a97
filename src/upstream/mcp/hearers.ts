import type { RequestListener } from './channel.ts';
import type { IncomingMessage } from './incoming-message.ts';

/** The requests that what came over one way may belong to. */
export interface Hearers {
  /** Who listens for the request of that id, while it is under way. */
  listenerOf(id: number): RequestListener | undefined;
  /** True where what names no request can belong to one alone. */
  readonly hasSole: boolean;
  /** Who listens for that one, where anybody does. */
  readonly soleListener: RequestListener | undefined;
}

/**
 * Hands a notification to the request that it belongs to: progress by our own token, a log message where only one request
 * can have caused it (2026-07-28, server/utilities/logging: on pipes nothing ties the two together).
 * @returns false where it belongs to none.
 */
export function handOn(
  { method, params }: Extract<IncomingMessage, { kind: 'notification' }>,
  hearers: Hearers,
): boolean {
  if (method === 'notifications/progress') {
    const { progressToken: token, _meta: _, ...progress } = params;
    const listener = typeof token === 'number' ? hearers.listenerOf(token) : undefined;
    if (listener?.wantsProgress !== true) return false;
    listener.onProgress(progress);
    return true;
  }
  if (method !== 'notifications/message') return false;
  hearers.soleListener?.onLog(params);
  return hearers.hasSole;
}
