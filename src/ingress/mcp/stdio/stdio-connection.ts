import type { Readable, Writable } from 'node:stream';
import type { CallContext } from '../../../domain/call.ts';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import { Cancellation } from '../../../lib/cancellation.ts';
import { LineReader } from '../../../lib/line-reader.ts';
import {
  createClientContext,
  MAX_BUFFERED_BYTES,
  type NotificationSink,
  requestedNotificationsIn,
} from '../client/client-context.ts';
import type { LegacyClient } from '../client/legacy-client.ts';
import { listChangedMessage } from '../client/list-changed.ts';
import { type ClientSession, handleCall } from '../methods/handle-call.ts';
import { handleMethod, INVALID_INITIALIZE, initializeLegacy } from '../methods/handle-method.ts';
import { type InvalidCall, type ParsedCall, parseCall } from '../methods/parse-call.ts';
import {
  internalErrorReply,
  invalidParamsReply,
  problemReply,
  resultReply,
  type SerializedReply,
} from '../methods/reply.ts';
import { errorName, type McpServices } from '../methods/services.ts';
import {
  INVALID_REQUEST,
  isRequest,
  type JsonRpcMessage,
  type JsonRpcProblem,
  type JsonRpcRequest,
  parseMessage,
  type RequestId,
  UNMATCHED_RESPONSE,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { checkModernRequest, eraOf } from '../protocol/modern-request.ts';
import { LATEST_LEGACY_VERSION, MODERN_VERSION } from '../protocol/versions.ts';
import { StdioSubscriptions } from './stdio-subscriptions.ts';

export interface StdioConnectionOptions {
  readonly services: McpServices;
  readonly input: Readable;
  readonly output: Writable;
  /** Called for every message, so that an agent that was removed loses access at once. Undefined ends the stream. */
  readonly principal: () => Principal | undefined;
  /** View of the stream. Default: all servers. */
  readonly view?: ViewName | undefined;
}

/** An open stream of one agent. */
export interface StdioConnection {
  /** Resolves when the stream has ended and its calls were cancelled. */
  readonly ended: Promise<void>;
  /** Accepts no more messages, waits up to `drainMs` for the calls in flight, then ends the stream. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

const MAX_IN_FLIGHT = 1_024;

/**
 * Serves MCP over newline-delimited JSON (stdio transport) to one agent. Both eras share the stream: each message states
 * its era, and legacy requests need `initialize` first.
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
    // The handshake leaves the stream paused.
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

  async #serveModern(principal: Principal, request: JsonRpcRequest): Promise<void> {
    const problem = checkModernRequest(request);
    if (problem) return this.#reject(principal, { ...problem, id: request.id });
    const clientSession: ClientSession = { principal, era: 'modern', context: STATELESS, view: this.#options.view };
    if (request.method === 'subscriptions/listen') return this.#subscribe(clientSession, request);
    await this.#handle(clientSession, request);
  }

  async #serveLegacy(principal: Principal, request: JsonRpcRequest): Promise<void> {
    if (request.method === 'initialize') return this.#initialize(principal, request);
    if (!this.#legacyContext && request.method !== 'ping') {
      return this.#reject(principal, { ...NOT_INITIALIZED, id: request.id });
    }
    const context = this.#legacyContext ?? this.#contextOf(LATEST_LEGACY_VERSION);
    const { view } = this.#options;
    await this.#handle({ principal, era: 'legacy', context, view, client: this.#client }, request);
  }

  #initialize(principal: Principal, { id, params }: JsonRpcRequest): Promise<void> | undefined {
    if (this.#legacyContext) return this.#reject(principal, { ...ALREADY_INITIALIZED, id });
    const initialized = initializeLegacy(params, this.#services, { principal, view: this.#options.view });
    if (!initialized) {
      this.#write(invalidParamsReply(id, INVALID_INITIALIZE).body);
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

  async #handle(clientSession: ClientSession, request: JsonRpcRequest): Promise<void> {
    const call = parseCall(request, clientSession.era);
    if (call) return this.#handleCall(clientSession, request, call);
    const reply = handleMethod(this.#services, clientSession, request);
    if ('serialized' in reply) this.#writeSerialized(reply);
    else this.#write(reply.body);
  }

  async #handleCall(
    clientSession: ClientSession,
    request: JsonRpcRequest,
    call: ParsedCall | InvalidCall,
  ): Promise<void> {
    const controller = new Cancellation();
    this.#inFlight.set(request.id, controller);
    const { signal } = controller;
    const requested = requestedNotificationsIn(request.params, clientSession.client);
    const clientContext = requested && createClientContext(requested, this.#sinkOf(request.id, controller));
    const reply = await handleCall(this.#services, clientSession, { request, call, signal, clientContext });
    this.#inFlight.delete(request.id);
    // A cancelled request gets no response (MCP, cancellation, "Behavior Requirements").
    if (!controller.signal.aborted) this.#write(reply.body);
    if (this.#inFlight.size === 0) this.#whenIdle();
    this.#resumeIfReady();
  }

  /** Returns the sink for notifications of a request in flight. They share the stream with all other messages. */
  #sinkOf(id: RequestId, controller: Cancellation): NotificationSink {
    return {
      send: (json) => {
        const isInFlight = this.#inFlight.get(id) === controller && !controller.signal.aborted;
        return isInFlight && this.#writeUnlessStalled(json);
      },
    };
  }

  async #subscribe(clientSession: ClientSession, request: JsonRpcRequest): Promise<void> {
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
      this.#subscriptions.notifyListChanged(list);
    });
  }

  #onNotification({ method, params }: JsonRpcMessage): void {
    if (method === 'notifications/roots/list_changed') this.#rootsChanged();
    const id = params.requestId;
    if (method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number')) return;
    this.#subscriptions.cancel(id);
    this.#inFlight.get(id)?.abort();
  }

  async #reject(principal: Principal, problem: JsonRpcProblem): Promise<void> {
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

  /** Writes a notification, or drops it while the client does not read. */
  #writeUnlessStalled(json: string): boolean {
    const isKeepingUp = this.#isOpen && this.#options.output.writableLength <= MAX_BUFFERED_BYTES;
    if (isKeepingUp) this.#write(json);
    return isKeepingUp;
  }

  /** Writes one line without copying or encoding the serialized bytes. */
  #writeSerialized({ head, serialized, tail }: SerializedReply): void {
    const { input, output } = this.#options;
    if (!this.#isOpen || output.writableEnded) return;
    output.cork();
    output.write(head);
    output.write(serialized);
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

const MESSAGE_TOO_LARGE: JsonRpcProblem = { code: INVALID_REQUEST, problem: 'the message is too large' };
const DUPLICATE_REQUEST_ID: JsonRpcProblem = {
  code: INVALID_REQUEST,
  problem: 'a request with this id is already in flight on this stream',
};
const NOT_INITIALIZED: JsonRpcProblem = {
  code: INVALID_REQUEST,
  problem: 'the stream is not initialized: send `initialize` first',
};
const ALREADY_INITIALIZED: JsonRpcProblem = { code: INVALID_REQUEST, problem: 'the stream is already initialized' };
