import type { Readable, Writable } from 'node:stream';
import type { CallContext } from '../../domain/call.ts';
import type { Principal } from '../../domain/principal.ts';
import type { ViewName } from '../../domain/view-name.ts';
import { Cancellation } from '../../lib/cancellation.ts';
import { LineSplitter } from '../../lib/line-splitter.ts';
import {
  answerCall,
  answerOther,
  type Conversation,
  initializeResult,
  internalErrorReply,
  isRequest,
  nameOf,
  type RpcRequest,
} from './answer.ts';
import { ANSWERS_NOTHING, parseMessage, type RequestId, type RpcMessage, type RpcProblem } from './envelope.ts';
import { isGoverned } from './governed-request.ts';
import type { LegacyClient } from './legacy-client.ts';
import { listChangedText } from './list-changes.ts';
import { checkModernRequest, eraOf } from './modern-envelope.ts';
import { invalidParamsReply, type PrintedReply, problemReply, resultReply } from './replies.ts';
import { linkOf, MAX_UNREAD_BYTES, type NoticeSink, wishesOf } from './request-link.ts';
import { MODERN_REVISION, NEWEST_LEGACY_REVISION } from './revisions.ts';
import { UNSUPPORTED_PROTOCOL_VERSION } from './rpc-error.ts';
import type { McpServices } from './services.ts';
import { IN_FLIGHT, INITIALIZED_TWICE, NOT_INITIALIZED, TOO_LONG } from './stdio-problems.ts';
import { StdioSubscriptions } from './stdio-subscriptions.ts';

export interface StdioStreamOptions {
  readonly services: McpServices;
  readonly input: Readable;
  readonly output: Writable;
  /** Asked for every message, so that an agent who is taken away is gone at once; undefined ends the stream. */
  readonly principal: () => Principal | undefined;
  /** The part of the whole that the stream is about. Default: the whole. */
  readonly view?: ViewName | undefined;
}

/** A served stream of one agent. */
export interface StdioStream {
  /** Resolves when the stream has ended and its calls are cancelled. */
  readonly ended: Promise<void>;
  /** Takes no more messages, waits up to `drainMs` for the calls under way, then ends the stream. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

const MAX_IN_FLIGHT = 1_024;

/**
 * Serves MCP over newline-delimited JSON (stdio transport) to one agent, both eras on one stream: each message says
 * which it belongs to, and a legacy one needs `initialize` first.
 */
export function serveStream(options: StdioStreamOptions): StdioStream {
  return new Served(options);
}

class Served implements StdioStream {
  readonly ended: Promise<void>;
  readonly #options: StdioStreamOptions;
  readonly #services: McpServices;
  readonly #inFlight = new Map<RequestId, Cancellation>();
  readonly #subscriptions: StdioSubscriptions;
  readonly #lines: LineSplitter;
  readonly #session: string;
  #legacy: CallContext | undefined;
  #client: LegacyClient | undefined;
  #unwatch: (() => void) | undefined;
  #open = true;
  #finish: () => void = () => {};
  #whenIdle: () => void = () => {};

  constructor(options: StdioStreamOptions) {
    this.#options = options;
    this.#services = options.services;
    this.#session = options.services.ids.uuidv7();
    this.#subscriptions = new StdioSubscriptions(options.services, {
      write: (json) => this.#write(json),
      writeIfRead: (json) => this.#writeIfRead(json),
    });
    this.#lines = new LineSplitter(options.services.limits.maxBytes);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const { input, output } = options;
    input.on('data', (chunk: Buffer) => this.#take(chunk));
    input.on('end', () => this.#end());
    for (const stream of [input, output]) {
      stream.on('close', () => this.#end());
      stream.on('error', () => this.#end());
    }
    output.on('drain', () => this.#resumeIfCalm());
    // Whoever read the greeting left the stream paused.
    input.resume();
  }

  async close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#options.input.pause();
    this.#subscriptions.close();
    if (this.#inFlight.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      const timer = setTimeout(() => this.#whenIdle(), drainMs);
      await idle;
      clearTimeout(timer);
    }
    this.#end();
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch?.();
    for (const controller of this.#inFlight.values()) controller.abort();
    this.#subscriptions.end();
    this.#client?.held.end();
    this.#options.output.end();
    this.#finish();
  }

  #take(chunk: Buffer): void {
    for (const line of this.#lines.push(chunk)) {
      if (!this.#open) return;
      if (line !== 'too-long' && line.length === 0) continue;
      this.#receive(line).catch((error: unknown) => {
        this.#services.log.error('ingress.failed', { error: nameOf(error) });
        this.#write(internalErrorReply(undefined).body);
      });
    }
    if (this.#inFlight.size >= MAX_IN_FLIGHT) this.#options.input.pause();
  }

  async #receive(line: Buffer | 'too-long'): Promise<void> {
    const principal = this.#options.principal();
    if (!principal) return this.#end();
    if (line === 'too-long') return this.#refuse(principal, TOO_LONG);
    const envelope = parseMessage(line, this.#services.limits);
    if (!envelope.ok) return this.#refuse(principal, envelope);
    if ('response' in envelope) {
      const isAnswer = this.#client?.questions?.take(envelope.response) === true;
      return isAnswer ? undefined : this.#refuse(principal, ANSWERS_NOTHING);
    }
    const { message } = envelope;
    if (!isRequest(message)) return this.#notified(message);
    if (this.#inFlight.has(message.id) || this.#subscriptions.has(message.id)) {
      return this.#refuse(principal, { ...IN_FLIGHT, id: message.id });
    }
    if (eraOf(message) === 'modern') return this.#serveModern(principal, message);
    return this.#serveLegacy(principal, message);
  }

  async #serveModern(principal: Principal, request: RpcRequest): Promise<void> {
    const problem = checkModernRequest(request);
    if (problem) return this.#refuse(principal, { ...problem, id: request.id });
    const conversation: Conversation = { principal, era: 'modern', context: STATELESS, view: this.#options.view };
    if (request.method === 'subscriptions/listen') return this.#subscribe(conversation, request);
    await this.#answer(conversation, request);
  }

  async #serveLegacy(principal: Principal, request: RpcRequest): Promise<void> {
    if (request.method === 'initialize') return this.#initialize(principal, request);
    if (!this.#legacy && request.method !== 'ping') {
      return this.#refuse(principal, { ...NOT_INITIALIZED, id: request.id });
    }
    const context = this.#legacy ?? this.#contextOf(NEWEST_LEGACY_REVISION);
    const { view } = this.#options;
    await this.#answer({ principal, era: 'legacy', context, view, client: this.#client }, request);
  }

  #initialize(principal: Principal, { id, params }: RpcRequest): Promise<void> | undefined {
    if (this.#legacy) return this.#refuse(principal, { ...INITIALIZED_TWICE, id });
    const answer = initializeResult(params, this.#services, { principal, view: this.#options.view });
    if (!answer) {
      const message = 'Invalid params: `protocolVersion`, `capabilities` and `clientInfo` are required';
      this.#write(invalidParamsReply(id, message).body);
      return undefined;
    }
    this.#legacy = this.#contextOf(answer.protocolVersion);
    this.#client = answer.client;
    answer.client.push = (json) => this.#writeIfRead(json);
    this.#watch(principal);
    const style = { era: 'legacy', serverInfo: this.#services.serverInfo } as const;
    this.#write(resultReply(id, answer.result, style).body);
    return undefined;
  }

  async #answer(conversation: Conversation, request: RpcRequest): Promise<void> {
    if (!isGoverned(request.method, conversation.era)) {
      const reply = answerOther(this.#services, conversation, request);
      if ('printed' in reply) this.#writePrinted(reply);
      else this.#write(reply.body);
      return;
    }
    const controller = new Cancellation();
    this.#inFlight.set(request.id, controller);
    const { signal } = controller;
    const wishes = wishesOf(request.params, conversation.client);
    const link = wishes && linkOf(wishes, this.#sinkOf(request.id, controller));
    const reply = await answerCall(this.#services, conversation, { request, signal, link });
    this.#inFlight.delete(request.id);
    // A cancelled request gets no answer (MCP, cancellation, "Behavior Requirements").
    if (!controller.signal.aborted) this.#write(reply.body);
    if (this.#inFlight.size === 0) this.#whenIdle();
    this.#resumeIfCalm();
  }

  /** What comes for a request before its answer goes between the lines of others. */
  #sinkOf(id: RequestId, controller: Cancellation): NoticeSink {
    return {
      send: (json) => {
        const isUnderWay = this.#inFlight.get(id) === controller && !controller.signal.aborted;
        return isUnderWay && this.#writeIfRead(json);
      },
    };
  }

  async #subscribe(conversation: Conversation, request: RpcRequest): Promise<void> {
    const controller = new Cancellation();
    this.#inFlight.set(request.id, controller);
    this.#watch(conversation.principal);
    await this.#subscriptions.open(conversation, request, controller.signal);
    this.#inFlight.delete(request.id);
    if (this.#inFlight.size === 0) this.#whenIdle();
  }

  #watch({ id }: Principal): void {
    const viewer = { principalId: id, view: this.#options.view };
    this.#unwatch ??= this.#services.changes.watch(viewer, (surface) => {
      if (this.#legacy) this.#write(listChangedText(surface));
      this.#subscriptions.changed(surface);
    });
  }

  #notified({ method, params }: RpcMessage): void {
    if (method === 'notifications/roots/list_changed') this.#rootsChanged();
    const id = params.requestId;
    if (method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number')) return;
    this.#subscriptions.cancel(id);
    this.#inFlight.get(id)?.abort();
  }

  async #refuse(principal: Principal, problem: RpcProblem): Promise<void> {
    if (problem.code !== UNSUPPORTED_PROTOCOL_VERSION) {
      const context = this.#legacy ?? STATELESS;
      await this.#services.broker.recordMalformed({ principal, context, code: problem.code, problem: problem.problem });
    }
    this.#write(problemReply(problem).body);
  }

  #rootsChanged(): void {
    const principal = this.#options.principal();
    if (principal && this.#legacy) this.#services.broker.rootsChanged(principal, this.#legacy);
  }

  #contextOf(protocolVersion: string): CallContext {
    return Object.freeze({ transport: 'stdio', protocolVersion, session: this.#session });
  }

  #write(json: string): void {
    if (!this.#open || this.#options.output.writableEnded) return;
    if (!this.#options.output.write(`${json}\n`)) this.#options.input.pause();
  }

  /** What nobody waits for is left out while the client does not read. */
  #writeIfRead(json: string): boolean {
    const isRead = this.#open && this.#options.output.writableLength <= MAX_UNREAD_BYTES;
    if (isRead) this.#write(json);
    return isRead;
  }

  /** One line like any other, its printed bytes as they lie. */
  #writePrinted({ head, printed, tail }: PrintedReply): void {
    const { input, output } = this.#options;
    if (!this.#open || output.writableEnded) return;
    output.cork();
    output.write(head);
    output.write(printed);
    if (!output.write(`${tail}\n`)) input.pause();
    output.uncork();
  }

  #resumeIfCalm(): void {
    const { input, output } = this.#options;
    if (this.#open && this.#inFlight.size < MAX_IN_FLIGHT && !output.writableNeedDrain) input.resume();
  }
}

const STATELESS: CallContext = Object.freeze({
  transport: 'stdio',
  protocolVersion: MODERN_REVISION,
  session: 'stateless',
});
