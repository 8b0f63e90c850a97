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
import type { LegacyClient } from './legacy-client.ts';
import { ClientRequests } from './legacy-client.ts';

/** Where the messages go that belong to one request. */
export interface NotificationSink {
  /** Sends one JSON text before the reply; false where that cannot be, and it is dropped. MUST NOT throw. */
  send(json: string): boolean;
}

/**
 * How much may wait for an agent to read it, in bytes; one message that is over it waits too. Far more than comes in one
 * turn of the event loop, in which no agent can read, since all of that counts as unread: a chunk of 64 KB of a server's
 * small messages becomes a few times as much under the agent's token.
 */
export const MAX_BUFFERED_BYTES = 1_048_576;

const MAX_TOKEN_LENGTH = 256;

/** What a request asks to be told before its answer. */
export interface RequestedNotifications {
  readonly progressToken: string | number | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly capabilities: JsonObject;
  /** The client of a legacy session that can be asked. */
  readonly client: LegacyClient | undefined;
}

/**
 * What a request asks to be told: progress by its token, log messages by a level, and questions by what its client can
 * answer. Undefined where it asks for nothing, so that most requests cost nothing. `client` is that of a legacy session; a modern request says all by itself.
 */
export function requestedNotificationsIn(
  { _meta: meta }: JsonObject,
  client: LegacyClient | undefined,
): RequestedNotifications | undefined {
  const requestMeta = isJsonObject(meta) ? meta : undefined;
  const token = parseProgressToken(requestMeta?.progressToken);
  const logLevel = client === undefined ? parseLogLevel(requestMeta?.[META_LOG_LEVEL]) : client.logLevel;
  const declaredCapabilities = client === undefined ? requestMeta?.[META_CLIENT_CAPABILITIES] : client.capabilities;
  const capabilities = isJsonObject(declaredCapabilities) ? declaredCapabilities : {};
  const acceptsInputRequests = canRespond(capabilities);
  if (token === undefined && logLevel === undefined && !acceptsInputRequests) return undefined;
  return { progressToken: token, logLevel, capabilities, client: acceptsInputRequests ? client : undefined };
}

/** The agent's side of a request that wishes to hear of it. */
export function createClientContext(requested: RequestedNotifications, sink: NotificationSink): ClientContext {
  return new RequestClientContext(requested, sink);
}

/** MCP, "Progress": a string or an integer. A longer one would be repeated with each message. */
function parseProgressToken(value: JsonValue | undefined): string | number | undefined {
  if (typeof value === 'string') return value.length <= MAX_TOKEN_LENGTH ? value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function parseLogLevel(value: JsonValue | undefined): LogLevel | undefined {
  return isLogLevel(value) ? value : undefined;
}

class RequestClientContext implements ClientContext {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly sendRequest?: SendRequest;
  readonly elicitationComplete?: (elicitationId: string) => boolean;
  readonly #progressToken: string | number | undefined;
  readonly #sink: NotificationSink;

  constructor(
    { progressToken: token, logLevel, capabilities, client }: RequestedNotifications,
    sink: NotificationSink,
  ) {
    this.capabilities = capabilities;
    this.logLevel = logLevel;
    this.#progressToken = token;
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
      ...{ progressToken: this.#progressToken, progress },
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
