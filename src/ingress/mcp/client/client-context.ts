import {
  type ClientContext,
  isAtLeast,
  isLogLevel,
  type LogLevel,
  type SendRequest,
} from '../../../domain/mcp/client-context.ts';
import { encodeNotification } from '../../../domain/mcp/notification.ts';
import { canRespond } from '../../../input-required/rewrite-for-client.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { META_CLIENT_CAPABILITIES, META_LOG_LEVEL } from '../protocol/versions.ts';
import { ClientRequests, type LegacyClient } from './legacy-client.ts';

/** Destination of the messages that belong to one request. */
export interface NotificationSink {
  /** Sends one JSON text before the reply. Returns false if it was dropped. MUST NOT throw. */
  send(json: string): boolean;
}

/**
 * Unread bytes of one agent above which notifications are dropped. Far larger than the notifications of one turn of the
 * event loop, during which no agent can read: 64 KB of small messages of a server become several times as much with the
 * agent's progress token.
 */
export const MAX_BUFFERED_BYTES = 1_048_576;

const MAX_TOKEN_LENGTH = 256;

/** Messages that a request wants before its reply. */
export interface RequestedNotifications {
  readonly progressToken: string | number | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly capabilities: JsonObject;
  /** Client of a legacy session that accepts input requests on the stream of the call. */
  readonly client: LegacyClient | undefined;
}

/**
 * Returns the messages that a request wants: progress if it has a token, log messages from a level on, input requests if
 * its client can respond to them. A legacy client declared level and capabilities for its session, a modern request
 * declares its own.
 * @returns undefined if it wants none, so that most requests cost nothing.
 */
export function requestedNotificationsIn(
  { _meta: meta }: JsonObject,
  client: LegacyClient | undefined,
): RequestedNotifications | undefined {
  const requestMeta = isJsonObject(meta) ? meta : NO_META;
  const progressToken = parseProgressToken(requestMeta.progressToken);
  const { logLevel, capabilities } = client ?? declaredIn(requestMeta);
  const acceptsInputRequests = canRespond(capabilities);
  if (progressToken === undefined && logLevel === undefined && !acceptsInputRequests) return undefined;
  return { progressToken, logLevel, capabilities, client: acceptsInputRequests ? client : undefined };
}

const NO_META: JsonObject = Object.freeze({});

function declaredIn(meta: JsonObject): Pick<RequestedNotifications, 'logLevel' | 'capabilities'> {
  const { [META_LOG_LEVEL]: logLevel, [META_CLIENT_CAPABILITIES]: capabilities } = meta;
  return {
    logLevel: isLogLevel(logLevel) ? logLevel : undefined,
    capabilities: isJsonObject(capabilities) ? capabilities : {},
  };
}

/** Creates the client context of a request: everything that it wants goes to `sink`. */
export function createClientContext(requested: RequestedNotifications, sink: NotificationSink): ClientContext {
  return new RequestClientContext(requested, sink);
}

/** MCP, "Progress": a string or an integer. Long tokens are ignored, because each notification repeats the token. */
function parseProgressToken(value: JsonValue | undefined): string | number | undefined {
  if (typeof value === 'string') return value.length <= MAX_TOKEN_LENGTH ? value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

class RequestClientContext implements ClientContext {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly sendRequest?: SendRequest;
  readonly elicitationComplete?: (elicitationId: string) => boolean;
  readonly #progressToken: string | number | undefined;
  readonly #sink: NotificationSink;

  constructor({ progressToken, logLevel, capabilities, client }: RequestedNotifications, sink: NotificationSink) {
    this.capabilities = capabilities;
    this.logLevel = logLevel;
    this.#progressToken = progressToken;
    this.#sink = sink;
    if (client === undefined) return;
    client.requests ??= new ClientRequests();
    this.sendRequest = client.requests.senderFor(sink);
    this.elicitationComplete = (elicitationId) => {
      const notification = encodeNotification('notifications/elicitation/complete', { elicitationId });
      return sink.send(notification) || client.notify(notification);
    };
  }

  get wantsProgress(): boolean {
    return this.#progressToken !== undefined;
  }

  progress({ progress, total, message }: JsonObject): boolean {
    if (this.#progressToken === undefined || typeof progress !== 'number') return true;
    const params: JsonObject = {
      progressToken: this.#progressToken,
      progress,
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    };
    return this.#notify('notifications/progress', params);
  }

  log({ level, logger, data }: JsonObject): boolean {
    if (this.logLevel === undefined || !isLogLevel(level) || !isAtLeast(level, this.logLevel)) return true;
    const params: JsonObject = { level, ...(typeof logger === 'string' ? { logger } : {}), data: data ?? null };
    return this.#notify('notifications/message', params);
  }

  #notify(method: string, params: JsonObject): boolean {
    return this.#sink.send(encodeNotification(method, params));
  }
}
