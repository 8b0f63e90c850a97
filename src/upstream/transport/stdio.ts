import type { Era } from '../../domain/mcp/era.ts';
import { encodeNotification } from '../../domain/mcp/notification.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { isBlankLine, LineReader } from '../../lib/line-reader.ts';
import { type ClientInfo, encodeParams, encodeRequest, encodeResponse, withMeta } from '../protocol/encode-request.ts';
import { guessResponseId, parseMessage } from '../protocol/parse-message.ts';
import { PendingRequests } from '../protocol/pending-requests.ts';
import { unsentResponse } from '../protocol/request-deadline.ts';
import { type IncomingNotification, type IncomingRequest, routeMessage } from '../protocol/route-message.ts';
import {
  failedResponse,
  type OutgoingResponse,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../protocol/transport.ts';
import { ChildProcess, type ChildProcessOptions } from './child-process.ts';

export interface StdioTransportOptions {
  readonly parameters: Pick<ChildProcessOptions, 'command' | 'args' | 'cwd'>;
  /** Complete environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** Limit of one line, in bytes. */
  readonly maxLineBytes: number;
  /** True if several principals share the process. */
  readonly isShared: boolean;
  readonly events: TransportEvents;
}

/** MCP over the stdio of a child process: one message per line, many calls at once. */
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
      onLine: (line) => {
        if (!isBlankLine(line)) this.#onLine(line);
      },
      onOverlongLine: (ends) => this.#onOverlongLine(ends),
      onEndless: () => void this.#end('the server wrote an endless line'),
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
    // Over stdio all messages come on one stream.
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response> {
    const unsent = unsentResponse(this.#ended, options.signal);
    if (unsent !== undefined) return Promise.resolve(unsent);
    const id = this.#pending.nextId();
    const paramsWithMeta = withMeta(params, id, { era: this.#era, listener: options.listener });
    const text = encodeRequest(id, method, encodeParams(paramsWithMeta, this.#era, this.#options.clientInfo));
    if (!this.#child.write(`${text}\n`)) {
      return Promise.resolve(failedResponse('unavailable', false, 'the server does not read its stdin'));
    }
    return this.#pending.waitForResponse(id, options, (reason) => {
      // The specification forbids cancelling `initialize`.
      if (method !== 'initialize') void this.notify('notifications/cancelled', { requestId: id, reason });
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
      case 'response':
        if (!this.#pending.settle(message.id, message.response)) this.#options.events.onDropped();
        break;
      case 'request':
      case 'notification':
        this.#onServerMessage(message);
        break;
      case 'error-without-id':
        this.#options.events.onDropped();
        break;
      case 'invalid':
        this.#fail(message.id, failedResponse('protocol', true, message.problem));
        break;
    }
  }

  #onServerMessage(message: IncomingRequest | IncomingNotification): void {
    // 2026-07-28, patterns/cancellation: over stdio a server may end a stream in this way.
    if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      if (this.#pending.endStream(Number(message.params.requestId))) return;
    }
    const response = routeMessage(message, this.#pending, { events: this.#options.events, transport: this });
    if (response !== undefined) this.#child.write(`${response}\n`);
  }

  #onOverlongLine(ends: Buffer): void {
    const problem = `the message is over ${this.#options.maxLineBytes} bytes`;
    // If exactly one request is in flight, the line belongs to it.
    this.#fail(guessResponseId(ends) ?? this.#pending.soleId, failedResponse('too-large', true, problem));
  }

  #fail(id: number | undefined, response: Response): void {
    if (id === undefined || !this.#pending.settle(id, response)) this.#options.events.onDropped();
  }
}
