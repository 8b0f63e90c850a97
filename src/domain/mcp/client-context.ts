import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { JsonRpcErrorBody } from '../outcome.ts';

/** Severities of log messages, lowest first (RFC 5424, section 6.2.1, as MCP writes them). */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

/** True when a message of that severity is worth telling to whoever wants `lowest` and above. */
export function isAtLeast(level: LogLevel, threshold: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** What came of asking an agent's client. */
export type ClientResponse =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: JsonRpcErrorBody }
  | { readonly kind: 'failed'; readonly cause: 'timeout' | 'cancelled' | 'gone'; readonly message: string };

/** Asks the agent's client one thing. MUST NOT reject. */
export type SendRequest = (
  method: string,
  params: JsonObject,
  options: { readonly signal: CancelSignal; readonly timeoutMs: number },
) => Promise<ClientResponse>;

/** The agent's side of one request while it is under way. */
export interface ClientContext {
  /** What the agent's client says that it can do: on this request in the modern era, at `initialize` in the legacy one. */
  readonly capabilities: JsonObject;
  /** Lowest severity of log messages that the agent wants; undefined where it wants none. */
  readonly logLevel: LogLevel | undefined;
  /** True where the agent sent a progress token, which the link keeps. */
  readonly wantsProgress: boolean;
  /**
   * Tells how far the request is: `progress`, `total` and `message`, without a token. MUST NOT throw; nothing is told after
   * the reply. False where it was lost: the agent does not read, or is not there. It cannot be waited for.
   */
  progress(params: JsonObject): boolean;
  /** Hands a log message on: `level`, `logger` and `data`, as `progress` does. One below the level is not told and not lost. */
  log(params: JsonObject): boolean;
  /** Asks the client of a legacy agent with a request on this request's own stream; undefined where there is no such way. */
  readonly sendRequest?: SendRequest;
  /**
   * Tells a legacy client that the interaction is over which it was asked for under that id, after the reply too; false
   * where there is no way. MUST NOT throw. Undefined where the client knows of no such thing.
   */
  readonly elicitationComplete?: (elicitationId: string) => boolean;
}
