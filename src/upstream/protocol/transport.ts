import type { LogLevel } from '../../domain/mcp/client-context.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { JsonRpcErrorBody } from '../../domain/outcome.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { TransportType } from './versions.ts';

/**
 * Why no answer came. `lost`: the connection ended; `session-lost`: the server no longer knows our session;
 * `refused`: an HTTP status that speaks of the way and not of the call.
 */
export type FailureKind =
  | 'timeout'
  | 'cancelled'
  | 'lost'
  | 'session-lost'
  | 'unavailable'
  | 'refused'
  | 'protocol'
  | 'too-large';

export interface FailedResponse {
  readonly kind: 'failed';
  readonly failure: FailureKind;
  /** False only when surely no byte of the request reached the server. */
  readonly sent: boolean;
  /** One clause, lower case, without any part of what was sent or received. */
  readonly message: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
}

/** What came of one request. A broken server is a value here, never a rejection. */
export type Response =
  | { readonly kind: 'result'; readonly result: JsonObject; readonly bytes: number }
  | { readonly kind: 'error'; readonly error: JsonRpcErrorBody; readonly status?: number }
  | FailedResponse;

export function failedResponse(failure: FailureKind, sent: boolean, message: string): FailedResponse {
  return { kind: 'failed', failure, sent, message };
}

/** Hears what a server says and asks while one request waits for its answer. MUST NOT throw. */
export interface MessageListener {
  /** Whether the server is asked to tell how far it is, under a token of our own. */
  readonly wantsProgress: boolean;
  /** Lowest severity of log messages that the request asks for; only the modern era says it with each request. */
  readonly logLevel?: LogLevel | undefined;
  /** What the server is told that the agent's client can answer; only the modern era says it with each request. */
  readonly capabilities?: JsonObject | undefined;
  /** True once it is told no more, so that nothing has to be read for it. */
  readonly isFull?: boolean;
  /** `params` hold no token any more. */
  onProgress(params: JsonObject): void;
  onLog(params: JsonObject): void;
  /** What the server serves of the subscription that the request is. */
  onAcknowledged?(params: JsonObject): void;
  /** Counts a request that the channel answers by itself; false once there were too many. */
  acceptsRequest?(): boolean;
  /** A question of the server, to be answered by `Channel.respond`. Without it the server is told that there is no such method. */
  readonly onRequest?: ((id: string | number, method: string, params: JsonObject) => void) | undefined;
  /** The server takes back what it asked under that id; false where it asked no such thing here. */
  readonly onCancelled?: ((id: string | number) => boolean) | undefined;
}

/** A request of a server, as it came. */
export interface ServerRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
}

/** What a question of a server is answered with. */
export type OutgoingResponse = { readonly result: JsonObject } | { readonly error: JsonRpcErrorBody };

export interface RequestOptions {
  readonly signal: CancelSignal;
  /** Milliseconds until the request is given up. */
  readonly timeoutMs: number;
  /** Largest message in bytes that is read as the answer. */
  readonly maxBytes: number;
  /** Header fields of this request alone; only HTTP has them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whom what comes beside the answer is told. Without one it is dropped. */
  readonly listener?: MessageListener | undefined;
  /** True for a stream that stays open, which is no call: nothing else can be meant for it, and it may be silent for long. */
  readonly isOpenEnded?: boolean;
}

/** A way to one MCP server on which requests are multiplexed; the era decides how each message is dressed. */
export interface Transport {
  readonly type: TransportType;
  /** Why it ended; undefined while it is open. */
  readonly endReason: string | undefined;
  /** From now on messages are dressed for this era and revision. */
  setProtocolVersion(era: Era, protocolVersion: string): void;
  /** Sends one request under an id of our own. MUST NOT reject. */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response>;
  /**
   * Sends a notification; nobody learns whether it arrived. Resolves, within seconds, when what is sent next cannot overtake
   * it; never rejects.
   */
  notify(method: string, params?: JsonObject): Promise<unknown>;
  /** Answers a question of the server; nobody learns whether it arrived. */
  respond(id: string | number, response: OutgoingResponse): void;
  /** After the handshake: opens what is needed to hear notifications that no request asked for. */
  openStandaloneStream(): void;
  /** Ends it and all that waits on it. Resolves when the process is gone or the sockets are closed. */
  close(): Promise<void>;
}

/** What a channel tells of, beside answers. */
export interface TransportEvents {
  /** The server says that its tools changed. */
  onListChanged(): void;
  /** The server says that one resource changed. */
  onResourceUpdated(uri: string): void;
  /** The channel ended without our doing; told once. */
  onEnded(reason: string): void;
  /** A request of the server that belongs to none of ours under way; false where nobody will answer it. */
  onInputRequest?(request: ServerRequest, transport: Pick<Transport, 'respond'>): boolean;
  /** The server takes a question back that came another way than its taking back; false where there is none. */
  onCancelled?(id: string | number): boolean;
  /** The server says that an interaction at a URL of its own is over; false where nobody was asked under that id. */
  onElicitationComplete?(elicitationId: string): boolean;
  /** A message that belongs to no request, or that is not MCP, was dropped. */
  onDropped(): void;
}
