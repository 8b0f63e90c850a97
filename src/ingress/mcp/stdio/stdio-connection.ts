import type { Readable, Writable } from 'node:stream';
import type { CallContext } from '../../../domain/call.ts';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import { Cancellation } from '../../../lib/cancellation.ts';
import { LineReader } from '../../../lib/line-reader.ts';
import type { LegacyClient } from '../client/legacy-client.ts';
import { listChangedMessage } from '../client/list-changed.ts';
import {
  createClientContext,
  MAX_BUFFERED_BYTES,
  type NotificationSink,
  requestedNotificationsIn,
} from '../client/request-context.ts';
import {
  type ClientSession,
  errorName,
  handleCall,
  handleOther,
  initializeResult,
  internalErrorReply,
  isRequest,
  type RpcRequest,
} from '../methods/handle-call.ts';
import { isCall } from '../methods/parse-call.ts';
import { invalidParamsReply, problemReply, resultReply, type SerializedReply } from '../methods/replies.ts';
import type { McpServices } from '../methods/services.ts';
import {
  INVALID_REQUEST,
  parseMessage,
  type RequestId,
  type RpcMessage,
  type RpcProblem,
  UNMATCHED_RESPONSE,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { checkModernRequest, eraOf } from '../protocol/request-headers.ts';
import { LATEST_LEGACY_VERSION, MODERN_VERSION } from '../protocol/versions.ts';
import { StdioSubscriptions } from './stdio-subscriptions.ts';

export interface StdioConnectionOptions {
  readonly services: McpServices;
  readonly input: Readable;
  readonly output: Writable;
  /** Asked for every message, so that an agent who is taken away is gone at once; undefined ends the stream. */
  readonly principal: () => Principal | undefined;
  /** The part of the whole that the stream is about. Default: the whole. */
  readonly view?: ViewName | undefined;
}

/** A served stream of one agent. */
export interface StdioConnection {
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
export function serveStdio(options: StdioConnectionOptions): StdioConnection {
  return new ServedConnection(options);
}

class ServedConnection implements StdioConnection {
  readonly ended: Promise<void>;
  readonly #options: StdioConnectionOptions;
  readonly #services: McpServices;
  readonly #inFlight = new Map<RequestId, Cancellation>();
  readonly #subscriptions: StdioSubscriptions;
  readonly #lines: LineReader;
  readonly #session: string;
  #legacyContext: CallContext | undefined;
  #client: LegacyClient | undefined;
  #stopWatching: (() => void) | undefined;
  #isOpen = true;
  #resolveEnded: () => void = () => {};
  #whenIdle: () => void = () => {};

  constructor(options: StdioConnectionOptions) {
    this.#options = options;
    this.#services = options.services;
    this.#session = options.services.ids.uuidv7();
    this.#subscriptions = new StdioSubscriptions(options.services, {
      write: (json) => this.#write(json),
      writeUnlessStalled: (json) => this.#writeUnlessStalled(json),
    });
    this.#lines = new LineReader(options.services.limits.maxBytes, {
      onLine: (line) => this.#onLine(line),
      onOverlongLine: () => this.#onLine('too-long'),
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { input, output } = options;
    input.on('data', (chunk: Buffer) => this.#onData(chunk));
    input.on('end', () => this.#end());
    for (const stream of [input, output]) {
      stream.on('close', () => this.#end());
      stream.on('error', () => this.#end());
    }
    output.on('drain', () => this.#resumeIfReady());
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
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopWatching?.();
    for (const controller of this.#inFlight.values()) controller.abort();
    this.#subscriptions.end();
    this.#client?.subscriptions.closeAll();
    this.#options.output.end();
    this.#resolveEnded();
  }

  #onData(chunk: Buffer): void {
    this.#lines.push(chunk);
    if (this.#isOpen && this.#inFlight.size >= MAX_IN_FLIGHT) this.#options.input.pause();
  }

  #onLine(line: Buffer | 'too-long'): void {
    if (!this.#isOpen || line.length === 0) return;
    this.#receive(line).catch((error: unknown) => {
      this.#services.log.error('ingress.failed', { error: errorName(error) });
      this.#write(internalErrorReply(undefined).body);
    });
  }

  async #receive(line: Buffer | 'too-long'): Promise<void> {
    const principal = this.#options.principal();
    if (!principal) return this.#end();
    if (line === 'too-long') return this.#reject(principal, MESSAGE_TOO_LARGE);
    const envelope = parseMessage(line, this.#services.limits);
    if (!envelope.ok) return this.#reject(principal, envelope);
    if ('response' in envelope) {
      const isMatched = this.#client?.requests?.handleResponse(envelope.response) === true;
      return isMatched ? undefined : this.#reject(principal, UNMATCHED_RESPONSE);
    }
    const { message } = envelope;
    if (!isRequest(message)) return this.#onNotification(message);
    if (this.#inFlight.has(message.id) || this.#subscriptions.has(message.id)) {
      return this.#reject(principal, { ...DUPLICATE_REQUEST_ID, id: message.id });
    }
    if (eraOf(message) === 'modern') return this.#serveModern(principal, message);
    return this.#serveLegacy(principal, message);
  }

  async #serveModern(principal: Principal, request: RpcRequest): Promise<void> {
    const problem = checkModernRequest(request);
    if (problem) return this.#reject(principal, { ...problem, id: request.id });
    const clientSession: ClientSession = { principal, era: 'modern', context: STATELESS, view: this.#options.view };
    if (request.method === 'subscriptions/listen') return this.#subscribe(clientSession, request);
    await this.#handle(clientSession, request);
  }

  async #serveLegacy(principal: Principal, request: RpcRequest): Promise<void> {
    if (request.method === 'initialize') return this.#initialize(principal, request);
    if (!this.#legacyContext && request.method !== 'ping') {
      return this.#reject(principal, { ...NOT_INITIALIZED, id: request.id });
    }
    const context = this.#legacyContext ?? this.#contextOf(LATEST_LEGACY_VERSION);
    const { view } = this.#options;
    await this.#handle({ principal, era: 'legacy', context, view, client: this.#client }, request);
  }

  #initialize(principal: Principal, { id, params }: RpcRequest): Promise<void> | undefined {
    if (this.#legacyContext) return this.#reject(principal, { ...ALREADY_INITIALIZED, id });
    const initialized = initializeResult(params, this.#services, { principal, view: this.#options.view });
    if (!initialized) {
      const message = 'Invalid params: `protocolVersion`, `capabilities` and `clientInfo` are required';
      this.#write(invalidParamsReply(id, message).body);
      return undefined;
    }
    this.#legacyContext = this.#contextOf(initialized.protocolVersion);
    this.#client = initialized.client;
    initialized.client.notify = (json) => this.#writeUnlessStalled(json);
    this.#watch(principal);
    const style = { era: 'legacy', serverInfo: this.#services.serverInfo } as const;
    this.#write(resultReply(id, initialized.result, style).body);
    return undefined;
  }

  async #handle(clientSession: ClientSession, request: RpcRequest): Promise<void> {
    if (!isCall(request.method, clientSession.era)) {
      const reply = handleOther(this.#services, clientSession, request);
      if ('serialized' in reply) this.#writeSerialized(reply);
      else this.#write(reply.body);
      return;
    }
    const controller = new Cancellation();
    this.#inFlight.set(request.id, controller);
    const { signal } = controller;
    const requested = requestedNotificationsIn(request.params, clientSession.client);
    const clientContext = requested && createClientContext(requested, this.#sinkOf(request.id, controller));
    const reply = await handleCall(this.#services, clientSession, { request, signal, clientContext });
    this.#inFlight.delete(request.id);
    // A cancelled request gets no answer (MCP, cancellation, "Behavior Requirements").
    if (!controller.signal.aborted) this.#write(reply.body);
    if (this.#inFlight.size === 0) this.#whenIdle();
    this.#resumeIfReady();
  }

  /** What comes for a request before its answer goes between the lines of others. */
  #sinkOf(id: RequestId, controller: Cancellation): NotificationSink {
    return {
      send: (json) => {
        const isInFlight = this.#inFlight.get(id) === controller && !controller.signal.aborted;
        return isInFlight && this.#writeUnlessStalled(json);
      },
    };
  }

  async #subscribe(clientSession: ClientSession, request: RpcRequest): Promise<void> {
    const controller = new Cancellation();
    this.#inFlight.set(request.id, controller);
    this.#watch(clientSession.principal);
    await this.#subscriptions.open(clientSession, request, controller.signal);
    this.#inFlight.delete(request.id);
    if (this.#inFlight.size === 0) this.#whenIdle();
  }

  #watch({ id }: Principal): void {
    const viewer = { principalId: id, view: this.#options.view };
    this.#stopWatching ??= this.#services.listChanges.watch(viewer, (list) => {
      if (this.#legacyContext) this.#write(listChangedMessage(list));
      this.#subscriptions.notification(list);
    });
  }

  #onNotification({ method, params }: RpcMessage): void {
    if (method === 'notifications/roots/list_changed') this.#rootsChanged();
    const id = params.requestId;
    if (method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number')) return;
    this.#subscriptions.cancel(id);
    this.#inFlight.get(id)?.abort();
  }

  async #reject(principal: Principal, problem: RpcProblem): Promise<void> {
    if (problem.code !== UNSUPPORTED_PROTOCOL_VERSION) {
      const context = this.#legacyContext ?? STATELESS;
      await this.#services.broker.recordMalformed({ principal, context, code: problem.code, problem: problem.problem });
    }
    this.#write(problemReply(problem).body);
  }

  #rootsChanged(): void {
    const principal = this.#options.principal();
    if (principal && this.#legacyContext) this.#services.broker.rootsChanged(principal, this.#legacyContext);
  }

  #contextOf(protocolVersion: string): CallContext {
    return Object.freeze({ transport: 'stdio', protocolVersion, session: this.#session });
  }

  #write(json: string): void {
    if (!this.#isOpen || this.#options.output.writableEnded) return;
    if (!this.#options.output.write(`${json}\n`)) this.#options.input.pause();
  }

  /** What nobody waits for is left out while the client does not read. */
  #writeUnlessStalled(json: string): boolean {
    const isKeepingUp = this.#isOpen && this.#options.output.writableLength <= MAX_BUFFERED_BYTES;
    if (isKeepingUp) this.#write(json);
    return isKeepingUp;
  }

  /** One line like any other, its printed bytes as they lie. */
  #writeSerialized({ head, serialized: printed, tail }: SerializedReply): void {
    const { input, output } = this.#options;
    if (!this.#isOpen || output.writableEnded) return;
    output.cork();
    output.write(head);
    output.write(printed);
    if (!output.write(`${tail}\n`)) input.pause();
    output.uncork();
  }

  #resumeIfReady(): void {
    const { input, output } = this.#options;
    if (this.#isOpen && this.#inFlight.size < MAX_IN_FLIGHT && !output.writableNeedDrain) input.resume();
  }
}

const STATELESS: CallContext = Object.freeze({
  transport: 'stdio',
  protocolVersion: MODERN_VERSION,
  session: 'stateless',
});

/** What can be wrong with a message because of where in the stream it comes. */
export const MESSAGE_TOO_LARGE: RpcProblem = { code: INVALID_REQUEST, problem: 'the message is too large' };
export const DUPLICATE_REQUEST_ID: RpcProblem = {
  code: INVALID_REQUEST,
  problem: 'a request of that id is under way on this stream',
};
export const NOT_INITIALIZED: RpcProblem = {
  code: INVALID_REQUEST,
  problem: 'the stream is not initialized: send `initialize` first',
};
export const ALREADY_INITIALIZED: RpcProblem = { code: INVALID_REQUEST, problem: 'the stream is initialized already' };
