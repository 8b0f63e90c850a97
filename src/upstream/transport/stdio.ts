import type { Era } from '../../domain/mcp/era.ts';
import { encodeNotification } from '../../domain/mcp/notification.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type ClientInfo, encodeParams, encodeRequest, encodeResponse, withMeta } from '../protocol/json-rpc.ts';
import { guessResponseId, type IncomingMessage, parseMessage } from '../protocol/parse-message.ts';
import { PendingRequests } from '../protocol/pending-requests.ts';
import { abortReason } from '../protocol/request-deadline.ts';
import { routeNotification, routeRequest } from '../protocol/route-message.ts';
import {
  failedResponse,
  type OutgoingResponse,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../protocol/transport.ts';
import type { StdioServerParameters } from '../upstream-server.ts';
import { ChildProcess } from './child-process.ts';
import { LineReader } from './line-reader.ts';

export interface StdioTransportOptions {
  readonly parameters: StdioServerParameters;
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** Longest line in bytes that is read. */
  readonly maxLineBytes: number;
  /** True where several principals share the process. */
  readonly isShared: boolean;
  readonly events: TransportEvents;
}

/** MCP over the pipes of a child process: one message a line, many calls at once. */
export class StdioTransport implements Transport {
  readonly type = 'stdio';
  readonly #options: StdioTransportOptions;
  readonly #child: ChildProcess;
  readonly #pending: PendingRequests;
  #era: Era = 'legacy';
  #ended: string | undefined;
  #closing = false;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options);
    const lines = new LineReader(options.maxLineBytes, {
      onLine: (line) => this.#onLine(line),
      onOverlongLine: (ends) => this.#onOverlongLine(ends),
      onEndless: () => void this.#end('the server wrote a line without end'),
    });
    this.#child = new ChildProcess({
      command: options.parameters.command,
      args: options.parameters.args,
      ...(options.parameters.cwd === undefined ? {} : { cwd: options.parameters.cwd }),
      env: options.env,
      onOutput: (chunk) => {
        if (this.#ended === undefined) lines.push(chunk);
      },
      onEnded: (reason) => this.#markEnded(reason),
    });
  }

  get endReason(): string | undefined {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stderrTail(): string {
    return this.#child.stderrTail;
  }

  setProtocolVersion(era: Era): void {
    this.#era = era;
  }

  openStandaloneStream(): void {
    // On pipes every notification comes unasked.
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response> {
    if (this.#ended !== undefined) return Promise.resolve(failedResponse('lost', false, this.#ended));
    if (options.signal.aborted) {
      return Promise.resolve(
        failedResponse(abortReason(options.signal), false, 'the call was over before it was sent'),
      );
    }
    const id = this.#pending.nextId();
    const paramsWithMeta = withMeta(params, id, { era: this.#era, listener: options.listener });
    const text = encodeRequest(id, method, encodeParams(paramsWithMeta, this.#era, this.#options.clientInfo));
    if (!this.#child.write(`${text}\n`)) {
      return Promise.resolve(failedResponse('unavailable', false, 'the server does not read what is sent to it'));
    }
    return this.#pending.waitForResponse(id, options, (reason) => {
      // The specification forbids cancelling `initialize`.
      if (method !== 'initialize') void this.notify('notifications/cancelled', { requestId: id, reason: reason });
    });
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    this.#child.write(`${encodeNotification(method, params)}\n`);
    return Promise.resolve();
  }

  respond(id: string | number, response: OutgoingResponse): void {
    this.#child.write(`${encodeResponse(id, response)}\n`);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#end('the broker ended the session');
  }

  async #end(reason: string): Promise<void> {
    this.#markEnded(reason);
    await this.#child.close();
  }

  #markEnded(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#pending.settleAll(failedResponse('lost', true, reason));
    if (!this.#closing) this.#options.events.onEnded(reason);
  }

  #onLine(line: Buffer): void {
    const message = parseMessage(line, this.#options.maxLineBytes);
    switch (message.kind) {
      case 'answer':
        if (!this.#pending.settle(message.id, message.response)) this.#options.events.onDropped();
        break;
      case 'request':
        this.#onRequest(message);
        break;
      case 'notification':
        // 2026-07-28, patterns/cancellation: on pipes a server may end a stream so.
        if (message.method === 'notifications/cancelled' && this.#pending.endStream(Number(message.params.requestId)))
          break;
        routeNotification(message, this.#pending, this.#options.events);
        break;
      case 'stray-error':
        this.#options.events.onDropped();
        break;
      case 'invalid':
        this.#fail(message.id, failedResponse('protocol', true, message.problem));
        break;
    }
  }

  #onRequest(message: Extract<IncomingMessage, { kind: 'request' }>): void {
    const response = routeRequest(message, this.#pending, { events: this.#options.events, transport: this });
    if (response !== undefined) this.#child.write(`${response}\n`);
  }

  #onOverlongLine(ends: Buffer): void {
    const problem = `the message is over ${this.#options.maxLineBytes} bytes`;
    // On pipes nobody else can have written it when one request alone waits.
    this.#fail(guessResponseId(ends) ?? this.#pending.soleId, failedResponse('too-large', true, problem));
  }

  #fail(id: number | undefined, response: Response): void {
    if (id === undefined || !this.#pending.settle(id, response)) this.#options.events.onDropped();
  }
}
