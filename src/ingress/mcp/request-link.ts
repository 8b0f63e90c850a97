import { type AgentLink, type Ask, isAtLeast, isLogLevel, type LogLevel } from '../../domain/agent-link.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { canAnswer } from '../../questions/allowed-capabilities.ts';
import { AgentQuestions } from './agent-questions.ts';
import type { LegacyClient } from './legacy-client.ts';
import { notificationText } from './notification-text.ts';
import { META_CLIENT_CAPABILITIES, META_LOG_LEVEL } from './revisions.ts';

/** Where the messages go that belong to one request. */
export interface NoticeSink {
  /** Sends one JSON text before the reply; false where that cannot be, and it is dropped. MUST NOT throw. */
  send(json: string): boolean;
}

/**
 * How much may wait for an agent to read it, in bytes; one message that is over it waits too. Far more than comes in one
 * turn of the event loop, in which no agent can read, since all of that counts as unread: a chunk of 64 KB of a server's
 * small messages becomes a few times as much under the agent's token.
 */
export const MAX_UNREAD_BYTES = 1_048_576;

const MAX_TOKEN_LENGTH = 256;

/** What a request asks to be told before its answer. */
export interface LinkWishes {
  readonly token: string | number | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly capabilities: JsonObject;
  /** The client of a legacy session that can be asked. */
  readonly client: LegacyClient | undefined;
}

/**
 * What a request asks to be told: progress by its token, log messages by a level, and questions by what its client can
 * answer. Undefined where it asks for nothing, so that most requests cost nothing. `client` is that of a legacy session; a modern request says all by itself.
 */
export function wishesOf({ _meta: meta }: JsonObject, client: LegacyClient | undefined): LinkWishes | undefined {
  const own = isJsonObject(meta) ? meta : undefined;
  const token = tokenIn(own?.progressToken);
  const logLevel = client === undefined ? levelIn(own?.[META_LOG_LEVEL]) : client.logLevel;
  const declared = client === undefined ? own?.[META_CLIENT_CAPABILITIES] : client.capabilities;
  const capabilities = isJsonObject(declared) ? declared : {};
  const isAnswering = canAnswer(capabilities);
  if (token === undefined && logLevel === undefined && !isAnswering) return undefined;
  return { token, logLevel, capabilities, client: isAnswering ? client : undefined };
}

/** The agent's side of a request that wishes to hear of it. */
export function linkOf(wishes: LinkWishes, sink: NoticeSink): AgentLink {
  return new RequestLink(wishes, sink);
}

/** MCP, "Progress": a string or an integer. A longer one would be repeated with each message. */
function tokenIn(value: JsonValue | undefined): string | number | undefined {
  if (typeof value === 'string') return value.length <= MAX_TOKEN_LENGTH ? value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function levelIn(value: JsonValue | undefined): LogLevel | undefined {
  return isLogLevel(value) ? value : undefined;
}

class RequestLink implements AgentLink {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly ask?: Ask;
  readonly elicitationComplete?: (elicitationId: string) => boolean;
  readonly #token: string | number | undefined;
  readonly #sink: NoticeSink;

  constructor({ token, logLevel, capabilities, client }: LinkWishes, sink: NoticeSink) {
    this.capabilities = capabilities;
    this.logLevel = logLevel;
    this.#token = token;
    this.#sink = sink;
    if (client === undefined) return;
    client.questions ??= new AgentQuestions();
    this.ask = client.questions.askOn(sink);
    this.elicitationComplete = (elicitationId) => {
      const told = notificationText('notifications/elicitation/complete', { elicitationId });
      return sink.send(told) || client.push(told);
    };
  }

  get wantsProgress(): boolean {
    return this.#token !== undefined;
  }

  progress({ progress, total, message }: JsonObject): boolean {
    if (this.#token === undefined || typeof progress !== 'number') return true;
    const params: JsonObject = {
      ...{ progressToken: this.#token, progress },
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
    return this.#sink.send(notificationText(method, params));
  }
}
