import type { ClientResponse, LogLevel, SendRequest } from '../../../domain/mcp/client-context.ts';
import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { JsonRpcErrorBody } from '../../../domain/outcome.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { JsonRpcResponse } from '../protocol/json-rpc.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';

/** State of a legacy client for the lifetime of its session. */
export interface LegacyClient {
  /** Capabilities declared at `initialize`. */
  readonly capabilities: JsonObject;
  /** Level of the last `logging/setLevel`; undefined before. */
  logLevel: LogLevel | undefined;
  readonly subscriptions: ResourceSubscriptions;
  /** Pending requests to the client; created with the first call that can send one. */
  requests?: ClientRequests;
  /** Sends a message that belongs to no request. Returns false if it was dropped. MUST NOT throw. */
  notify: (json: string) => boolean;
}

const MAX_CAPABILITIES_LENGTH = 4_096;

/** Creates the state of a client for a new session. Capabilities over 4 KiB are treated as none. */
export function createLegacyClient(declared: JsonObject): LegacyClient {
  const capabilities = JSON.stringify(declared).length <= MAX_CAPABILITIES_LENGTH ? declared : {};
  return { capabilities, logLevel: undefined, subscriptions: new ResourceSubscriptions(), notify: () => false };
}

interface RequestSink {
  /** Returns false if the message was not sent. */
  send(json: string): boolean;
}

/** Requests to one client that may be pending at one time. */
const MAX_PENDING = 64;

/**
 * The pending requests to a legacy client. Each is sent on the stream of the call that it belongs to, with an id of the
 * broker. Responses arrive as separate messages.
 */
export class ClientRequests {
  readonly #pending = new Map<number, (response: ClientResponse) => void>();
  #lastId = 0;

  /** Returns a function that sends requests to `sink`. */
  senderFor(sink: RequestSink): SendRequest {
    return (method, params, { signal, timeoutMs }) => {
      if (signal.aborted) return Promise.resolve(failedResponse('cancelled', 'the call has ended'));
      if (this.#pending.size >= MAX_PENDING)
        return Promise.resolve(failedResponse('gone', 'the client has too many pending input requests'));
      this.#lastId += 1;
      const id = this.#lastId;
      if (!sink.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))) {
        return Promise.resolve(failedResponse('gone', 'the client cannot receive input requests'));
      }
      return new Promise((resolve) => {
        const settle = (response: ClientResponse): void => {
          this.#pending.delete(id);
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve(response);
        };
        const abandon = (response: ClientResponse): void => {
          sink.send(encodeCancelled(id));
          settle(response);
        };
        const onAbort = (): void => abandon(failedResponse('cancelled', 'the call has ended'));
        const timer = setTimeout(
          () => abandon(failedResponse('timeout', 'the client did not respond in time')),
          timeoutMs,
        );
        signal.addEventListener('abort', onAbort, { once: true });
        this.#pending.set(id, settle);
      });
    };
  }

  /** Handles the response of a client. Returns false if it matches no pending request. */
  handleResponse({ id, body }: JsonRpcResponse): boolean {
    const settle = typeof id === 'number' ? this.#pending.get(id) : undefined;
    settle?.(toClientResponse(body));
    return settle !== undefined;
  }
}

function toClientResponse({ result, error }: JsonObject): ClientResponse {
  if (isJsonObject(result)) return { kind: 'result', result };
  if (isJsonObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string') {
    // `as`: both required members of the type were checked.
    return { kind: 'error', error: error as unknown as JsonRpcErrorBody };
  }
  return failedResponse('gone', 'the client sent an invalid response');
}

function failedResponse(cause: Extract<ClientResponse, { kind: 'failed' }>['cause'], message: string): ClientResponse {
  return { kind: 'failed', cause, message };
}

function encodeCancelled(requestId: number): string {
  return encodeNotification('notifications/cancelled', { requestId });
}
