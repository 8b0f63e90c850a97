import type { ClientContext, LogLevel } from '../../domain/mcp/client-context.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { MessageListener } from '../protocol/transport.ts';

/** Listener of the input requests of one call, and the capabilities that the server receives. */
export interface InputRequestListener {
  readonly capabilities: JsonObject;
  readonly onRequest: (id: string | number, method: string, params: JsonObject) => void;
  readonly onCancelled: (id: string | number) => boolean;
}

export interface CallListenerOptions {
  readonly maxNotifications: number;
  readonly onDropped: () => void;
  /** Default: the server can request no input. */
  readonly inputRequests: InputRequestListener | undefined;
}

/**
 * Forwards the messages of a server to the agent of one call, at most `maxNotifications` of them. Messages beyond it, and
 * those that the agent does not read in time, are dropped and counted by `onDropped`; the call goes on. The same limit
 * holds for unexpected requests of the server that are answered.
 */
export class CallListener implements MessageListener {
  readonly wantsProgress: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly capabilities: JsonObject | undefined;
  readonly onRequest: InputRequestListener['onRequest'] | undefined;
  readonly onCancelled: InputRequestListener['onCancelled'] | undefined;
  readonly #clientContext: ClientContext;
  readonly #options: CallListenerOptions;
  #notificationCount = 0;
  #requestCount = 0;

  constructor(clientContext: ClientContext, options: CallListenerOptions) {
    const { inputRequests } = options;
    this.wantsProgress = clientContext.wantsProgress;
    this.logLevel = clientContext.logLevel;
    this.capabilities = inputRequests?.capabilities;
    this.onRequest = inputRequests?.onRequest;
    this.onCancelled = inputRequests?.onCancelled;
    this.#clientContext = clientContext;
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#notificationCount >= this.#options.maxNotifications;
  }

  onProgress(params: JsonObject): void {
    if (!this.#countNotification() || !this.#clientContext.progress(params)) this.#options.onDropped();
  }

  onLog(params: JsonObject): void {
    if (!this.#countNotification() || !this.#clientContext.log(params)) this.#options.onDropped();
  }

  acceptsRequest(): boolean {
    this.#requestCount += 1;
    return this.#requestCount <= this.#options.maxNotifications;
  }

  #countNotification(): boolean {
    this.#notificationCount += 1;
    return this.#notificationCount <= this.#options.maxNotifications;
  }
}
