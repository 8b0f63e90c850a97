import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { JsonRpcErrorBody } from '../outcome.ts';

/** Severities of log messages, lowest first (RFC 5424, section 6.2.1, as MCP writes them). */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

/** True if a message of this severity is at or above the threshold. */
export function isAtLeast(level: LogLevel, threshold: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** Response of an agent's client to a request of the broker. */
export type ClientResponse =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: JsonRpcErrorBody }
  | { readonly kind: 'failed'; readonly cause: 'timeout' | 'cancelled' | 'gone'; readonly message: string };

/** Sends one request to the agent's client. MUST NOT reject. */
export type SendRequest = (
  method: string,
  params: JsonObject,
  options: { readonly signal: CancelSignal; readonly timeoutMs: number },
) => Promise<ClientResponse>;

/** Agent's side of one request in flight. */
export interface ClientContext {
  /** Capabilities that the client declared: with this request (modern) or at `initialize` (legacy). */
  readonly capabilities: JsonObject;
  /** Lowest severity of log messages that the agent requested; undefined if it requested none. */
  readonly logLevel: LogLevel | undefined;
  /** True if the agent sent a progress token. The context keeps the token. */
  readonly wantsProgress: boolean;
  /**
   * Sends a progress notification with `progress`, `total` and `message`; it adds the token. MUST NOT throw. Sends nothing
   * after the reply. @returns false if the message was dropped, because the agent does not read or is gone.
   */
  progress(params: JsonObject): boolean;
  /** Sends a log message with `level`, `logger` and `data`, as `progress` does. A message below the level is filtered, which is not a drop. */
  log(params: JsonObject): boolean;
  /** Sends a request to a legacy client on the stream of this request. Undefined if that is not possible. */
  readonly sendRequest?: SendRequest;
  /**
   * Notifies a legacy client that a URL elicitation is complete, also after the reply. MUST NOT throw. Undefined if its era
   * has no such notification. @returns false if it cannot be sent.
   */
  readonly elicitationComplete?: (elicitationId: string) => boolean;
}
