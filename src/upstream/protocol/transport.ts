import type { LogLevel } from '../../domain/mcp/client-context.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { JsonRpcErrorBody } from '../../domain/outcome.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { TransportType } from './versions.ts';

/**
 * Reason for a missing response. `lost`: the connection ended; `session-lost`: the server no longer knows the session;
 * `refused`: an HTTP status about access or load, not about the call.
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
  /** False only if certainly no byte of the request reached the server. */
  readonly sent: boolean;
  /** One clause, lower case, without any part of the data that was sent or received. */
  readonly message: string;
  /** HTTP status, if there was one. */
  readonly status?: number;
}

/** Result of one request. A failing server is a value here, never a rejection. */
export type Response =
  | { readonly kind: 'result'; readonly result: JsonObject; readonly bytes: number }
  | { readonly kind: 'error'; readonly error: JsonRpcErrorBody; readonly status?: number }
  | FailedResponse;

export function failedResponse(failure: FailureKind, sent: boolean, message: string): FailedResponse {
  return { kind: 'failed', failure, sent, message };
}

/** Receives the server's messages while one request waits for its response. MUST NOT throw. */
export interface MessageListener {
  /** True to request progress, with a token of the broker. */
  readonly wantsProgress: boolean;
  /** Lowest severity of log messages to request. Only the modern era sends it with each request. */
  readonly logLevel?: LogLevel | undefined;
  /** Client capabilities to declare. Only the modern era sends them with each request. */
  readonly capabilities?: JsonObject | undefined;
  /** True once it accepts no further notification, so that none has to be parsed for it. */
  readonly isFull?: boolean;
  /** `params` no longer contain the progress token. */
  onProgress(params: JsonObject): void;
  onLog(params: JsonObject): void;
  /** The server acknowledged the subscription; `params` say which part of it the server serves. */
  onAcknowledged?(params: JsonObject): void;
  /** Counts a request that the transport answers itself; false once there were too many. */
  acceptsRequest?(): boolean;
  /** An input request of the server, to be answered with `Transport.respond`. Without it the server gets −32601. */
  readonly onRequest?: ((id: string | number, method: string, params: JsonObject) => void) | undefined;
  /** The server cancels its request with that id; false if it made no such request here. */
  readonly onCancelled?: ((id: string | number) => boolean) | undefined;
}

/** A request of a server. */
export interface ServerRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
}

/** The response to a server's input request. */
export type OutgoingResponse = { readonly result: JsonObject } | { readonly error: JsonRpcErrorBody };

export interface RequestOptions {
  readonly signal: CancelSignal;
  /** Milliseconds until the request is abandoned. */
  readonly timeoutMs: number;
  /** Limit of the response, in bytes. */
  readonly maxBytes: number;
  /** Additional header fields of this request; HTTP only. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Receives the messages that come before the response. Without one they are dropped. */
  readonly listener?: MessageListener | undefined;
  /** True for a stream that stays open, such as `subscriptions/listen`. It may be silent for long and is not a call. */
  readonly isOpenEnded?: boolean;
}

/** A connection to one MCP server, with any number of requests at once. The era decides how messages are encoded. */
export interface Transport {
  readonly type: TransportType;
  /** Reason for its end; undefined while it is open. */
  readonly endReason: string | undefined;
  /** Sets the era and revision of the messages sent from now on. */
  setProtocolVersion(era: Era, protocolVersion: string): void;
  /** Sends one request with an id of the transport. MUST NOT reject. */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response>;
  /**
   * Sends a notification, without confirmation. Resolves within seconds, as soon as no later message can overtake it.
   * Never rejects.
   */
  notify(method: string, params?: JsonObject): Promise<unknown>;
  /** Sends the response to an input request of the server, without confirmation. */
  respond(id: string | number, response: OutgoingResponse): void;
  /** Opens the stream for notifications that belong to no request, if the transport needs one. Call it once negotiated. */
  openStandaloneStream(): void;
  /** Closes the transport and fails every pending request. Resolves when the process has exited or the sockets are closed. */
  close(): Promise<void>;
}

/** Events of a transport, other than responses. */
export interface TransportEvents {
  /** One of the server's lists changed. */
  onListChanged(): void;
  /** A resource changed. */
  onResourceUpdated(uri: string): void;
  /** The transport ended without `close`; called once. */
  onEnded(reason: string): void;
  /** A request of the server that belongs to no request in flight; false if no one will answer it. */
  onInputRequest?(request: ServerRequest, transport: Pick<Transport, 'respond'>): boolean;
  /** The server cancels an input request that came on another connection; false if there is none with that id. */
  onCancelled?(id: string | number): boolean;
  /** The server has completed a URL elicitation; false if none has that id. */
  onElicitationComplete?(elicitationId: string): boolean;
  /** A message was dropped: it belongs to no request, or is not MCP. */
  onDropped(): void;
}
