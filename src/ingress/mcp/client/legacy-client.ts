import type { ClientResponse, LogLevel, SendRequest } from '../../../domain/mcp/client-context.ts';
import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { JsonRpcErrorBody } from '../../../domain/outcome.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { RpcResponse } from '../protocol/json-rpc.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';

/** What a legacy client said of itself and asked to be told, for as long as its session lives. */
export interface LegacyClient {
  /** What it said at `initialize` that it can do. */
  readonly capabilities: JsonObject;
  /** What it set last; undefined until then. */
  logLevel: LogLevel | undefined;
  readonly subscriptions: ResourceSubscriptions;
  /** What it was asked; made with the first request that may lead to a question. */
  requests?: ClientRequests;
  /** Sends what belongs to no request; false where there is no way, and it is dropped. MUST NOT throw. */
  notify: (json: string) => boolean;
}

const MAX_CAPABILITIES_LENGTH = 4_096;

/** A client of a session that begins. One that says more of itself than any has to say is one that can do nothing. */
export function createLegacyClient(declared: JsonObject): LegacyClient {
  const capabilities = JSON.stringify(declared).length <= MAX_CAPABILITIES_LENGTH ? declared : {};
  return { capabilities, logLevel: undefined, subscriptions: new ResourceSubscriptions(), notify: () => false };
}

/** Where a question goes: false where it cannot be sent. */
interface RequestSink {
  send(json: string): boolean;
}

/** Questions that one client may have open at one time. */
const MAX_PENDING = 64;

/**
 * The questions that a legacy client was asked and has not answered. They go out on the stream of the request that they
 * belong to, under ids of our own; the answers come as messages of the client's own.
 */
export class ClientRequests {
  readonly #pending = new Map<number, (response: ClientResponse) => void>();
  #lastId = 0;

  /** Asks on the stream behind `sink`. */
  senderFor(sink: RequestSink): SendRequest {
    return (method, params, { signal, timeoutMs }) => {
      if (signal.aborted) return Promise.resolve(failedResponse('cancelled', 'the call is over'));
      if (this.#pending.size >= MAX_PENDING)
        return Promise.resolve(failedResponse('gone', 'the client has too many questions open'));
      this.#lastId += 1;
      const id = this.#lastId;
      if (!sink.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))) {
        return Promise.resolve(failedResponse('gone', 'the client cannot be asked'));
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
        const onAbort = (): void => abandon(failedResponse('cancelled', 'the call is over'));
        const timer = setTimeout(() => abandon(failedResponse('timeout', 'no answer came in time')), timeoutMs);
        signal.addEventListener('abort', onAbort, { once: true });
        this.#pending.set(id, settle);
      });
    };
  }

  /** Takes the answer of a client; false where it answers nothing that was asked. */
  handleResponse({ id, body }: RpcResponse): boolean {
    const settle = typeof id === 'number' ? this.#pending.get(id) : undefined;
    settle?.(toClientResponse(body));
    return settle !== undefined;
  }
}

function toClientResponse({ result, error }: JsonObject): ClientResponse {
  if (isJsonObject(result)) return { kind: 'result', result };
  if (isJsonObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string') {
    // `as`: both members that the type demands were just checked.
    return { kind: 'error', error: error as unknown as JsonRpcErrorBody };
  }
  return failedResponse('gone', 'the client answered with what is no answer');
}

function failedResponse(
  failure: Extract<ClientResponse, { kind: 'failed' }>['cause'],
  message: string,
): ClientResponse {
  return { kind: 'failed', cause: failure, message };
}

function encodeCancelled(requestId: number): string {
  return encodeNotification('notifications/cancelled', { requestId });
}
