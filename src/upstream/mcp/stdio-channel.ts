import type { JsonObject } from '../../lib/json.ts';
import type { Era } from '../era.ts';
import type { StdioTransport } from '../upstream-server.ts';
import {
  type Answer,
  type Channel,
  type ChannelEvents,
  failedAnswer,
  type RequestOptions,
  type ServerAnswer,
} from './channel.ts';
import { ChildProcess } from './child-process.ts';
import { hearNotification, hearRequest } from './hearers.ts';
import { type IncomingMessage, idInText, readIncomingMessage } from './incoming-message.ts';
import { LineReader } from './line-reader.ts';
import { answerText, type ClientInfo, notificationText, paramsText, requestText, withWishes } from './message-dress.ts';
import { PendingRequests } from './pending-requests.ts';
import { abortKind } from './request-deadline.ts';

export interface StdioChannelOptions {
  readonly transport: StdioTransport;
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** Longest line in bytes that is read. */
  readonly maxLineBytes: number;
  /** True where several principals share the process. */
  readonly isShared: boolean;
  readonly events: ChannelEvents;
}

/** MCP over the pipes of a child process: one message a line, many calls at once. */
export class StdioChannel implements Channel {
  readonly transport = 'stdio';
  readonly #options: StdioChannelOptions;
  readonly #child: ChildProcess;
  readonly #pending: PendingRequests;
  #era: Era = 'legacy';
  #ended: string | undefined;
  #closing = false;

  constructor(options: StdioChannelOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options);
    const lines = new LineReader(options.maxLineBytes, {
      onLine: (line) => this.#onLine(line),
      onOverlongLine: (ends) => this.#onOverlongLine(ends),
      onEndless: () => void this.#end('the server wrote a line without end'),
    });
    this.#child = new ChildProcess({
      command: options.transport.command,
      args: options.transport.args,
      ...(options.transport.cwd === undefined ? {} : { cwd: options.transport.cwd }),
      env: options.env,
      onOutput: (chunk) => {
        if (this.#ended === undefined) lines.push(chunk);
      },
      onEnded: (why) => this.#markEnded(why),
    });
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stderrTail(): string {
    return this.#child.stderrTail;
  }

  speak(era: Era): void {
    this.#era = era;
  }

  listen(): void {
    // On pipes every notification comes unasked.
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.resolve(failedAnswer('lost', false, this.#ended));
    if (options.signal.aborted) {
      return Promise.resolve(failedAnswer(abortKind(options.signal), false, 'the call was over before it was sent'));
    }
    const id = this.#pending.nextId();
    const wishes = withWishes(params, id, { era: this.#era, listener: options.listener });
    const text = requestText(id, method, paramsText(wishes, this.#era, this.#options.clientInfo));
    if (!this.#child.write(`${text}\n`)) {
      return Promise.resolve(failedAnswer('unavailable', false, 'the server does not read what is sent to it'));
    }
    return this.#pending.wait(id, options, (why) => {
      // The specification forbids cancelling `initialize`.
      if (method !== 'initialize') void this.notify('notifications/cancelled', { requestId: id, reason: why });
    });
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    this.#child.write(`${notificationText(method, params)}\n`);
    return Promise.resolve();
  }

  respond(id: string | number, answer: ServerAnswer): void {
    this.#child.write(`${answerText(id, answer)}\n`);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#end('the broker ended the session');
  }

  async #end(why: string): Promise<void> {
    this.#markEnded(why);
    await this.#child.close();
  }

  #markEnded(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#pending.settleAll(failedAnswer('lost', true, why));
    if (!this.#closing) this.#options.events.onEnded(why);
  }

  #onLine(line: Buffer): void {
    const message = readIncomingMessage(line, this.#options.maxLineBytes);
    switch (message.kind) {
      case 'answer':
        if (!this.#pending.settle(message.id, message.answer)) this.#options.events.onDropped();
        break;
      case 'request':
        this.#onRequest(message);
        break;
      case 'notification':
        // 2026-07-28, patterns/cancellation: on pipes a server may end a stream so.
        if (message.method === 'notifications/cancelled' && this.#pending.endStream(Number(message.params.requestId)))
          break;
        hearNotification(message, this.#pending, this.#options.events);
        break;
      case 'stray-error':
        this.#options.events.onDropped();
        break;
      case 'invalid':
        this.#fail(message.id, failedAnswer('protocol', true, message.problem));
        break;
    }
  }

  #onRequest(message: Extract<IncomingMessage, { kind: 'request' }>): void {
    const answer = hearRequest(message, this.#pending, { events: this.#options.events, channel: this });
    if (answer !== undefined) this.#child.write(`${answer}\n`);
  }

  #onOverlongLine(ends: Buffer): void {
    const problem = `the message is over ${this.#options.maxLineBytes} bytes`;
    // On pipes nobody else can have written it when one request alone waits.
    this.#fail(idInText(ends) ?? this.#pending.onlyId, failedAnswer('too-large', true, problem));
  }

  #fail(id: number | undefined, answer: Answer): void {
    if (id === undefined || !this.#pending.settle(id, answer)) this.#options.events.onDropped();
  }
}
