import type { JsonObject } from '../../../src/lib/json/json.ts';
import type { FakeBroker } from '../../fixtures/http-harness.ts';
import type { Transport } from '../requirements/requirement.ts';
import type { Era } from '../upstream/start.ts';

/** Everything received for one request. */
export interface WireResponse {
  /** HTTP status; undefined on stdio. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Reply; empty if there was none. */
  readonly message: JsonObject;
  /** Notifications and input requests before the reply. */
  readonly before: readonly JsonObject[];
}

/** A request in flight. */
export interface PendingRequest {
  readonly received: Promise<WireResponse>;
  /** Closes the connection of the reply; HTTP only. */
  readonly disconnect: () => void;
}

export interface RequestOptions {
  /** Default: the next number. */
  readonly id?: string | number;
  /** Headers that replace those that the era requires; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sends `params` without the `_meta` of the era. */
  readonly bare?: boolean;
  /** Responds to input requests of the broker with `result` or `error`. */
  readonly onInputRequest?: (request: JsonObject) => JsonObject;
}

/** Messages that belong to no request. */
export interface NotificationStream {
  readonly next: () => Promise<JsonObject>;
  readonly close: () => void;
}

/** An agent without an SDK: it sends the bytes of one era over one transport. */
export interface AgentWire {
  readonly era: Era;
  readonly transport: Transport;
  /** Broker of the connection. */
  readonly broker: FakeBroker;
  /** Declares capabilities from now on; a legacy client declares them once. */
  declare(capabilities: JsonObject): void;
  /** Sends one request, in the legacy era after `initialize`, and waits for the reply. */
  request(method: string, params?: JsonObject, options?: RequestOptions): Promise<WireResponse>;
  startRequest(method: string, params?: JsonObject, options?: RequestOptions): PendingRequest;
  /** Sends a notification. @returns the HTTP status; undefined on stdio. */
  notify(method: string, params?: JsonObject): Promise<number | undefined>;
  /** Sends exactly these bytes, in the legacy era after `initialize`. */
  raw(body: string, headers?: Readonly<Record<string, string | undefined>>): Promise<WireResponse>;
  /** Receives messages that belong to no request: by `subscriptions/listen`, or in the legacy era by its own means. */
  listen(filter?: JsonObject): Promise<NotificationStream>;
  close(): Promise<void>;
}

/** An agent over HTTP. */
export interface HttpAgentWire extends AgentWire {
  readonly port: number;
  /** HTTP statuses of the responses to input requests. */
  readonly responseStatuses: readonly (number | undefined)[];
  /** Headers of the legacy session, once there is one. */
  session(): Promise<string>;
  /** Sends any HTTP request. Default: with the key of the agent. */
  send(request: {
    readonly method: string;
    readonly headers?: Readonly<Record<string, string | undefined>>;
    readonly body?: string;
  }): Promise<WireResponse>;
}

const META = 'io.modelcontextprotocol';

/** Parameters with the `_meta` of 2026-07-28. */
export function withModernMeta(params: JsonObject, capabilities: JsonObject = {}): JsonObject {
  const { _meta: meta = {}, ...rest } = params;
  return {
    ...rest,
    _meta: {
      [`${META}/protocolVersion`]: '2026-07-28',
      [`${META}/clientCapabilities`]: capabilities,
      // `as`: tests put objects there.
      ...(meta as JsonObject),
    },
  };
}

/** First request of a legacy session. */
export const INITIALIZE_PARAMS: JsonObject = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'wire', version: '1' },
};

/** Headers of a modern request that repeat its body. */
export function mirrorHeaders(method: string, params: JsonObject): Record<string, string> {
  const named = method === 'tools/call' || method === 'prompts/get' ? params.name : undefined;
  const name = method === 'resources/read' ? params.uri : named;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  };
}
