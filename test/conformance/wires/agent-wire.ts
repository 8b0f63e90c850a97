import type { JsonObject } from '../../../src/lib/json/json.ts';
import type { FakeBroker } from '../../fixtures/http-harness.ts';
import type { Transport } from '../requirements/requirement.ts';
import type { Era } from '../upstream/start.ts';

/** What came of one request. */
export interface WireResponse {
  /** Of HTTP; undefined on pipes. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The reply; empty where there was none. */
  readonly message: JsonObject;
  /** What came on its way before it, notifications and questions. */
  readonly before: readonly JsonObject[];
}

/** A request that is under way. */
export interface UnderWay {
  readonly received: Promise<WireResponse>;
  /** Closes the connection that the reply would come on; HTTP only. */
  readonly hangUp: () => void;
}

export interface AskOptions {
  /** Default: the next number. */
  readonly id?: string | number;
  /** Header fields in place of those that the era demands; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sends `params` without the envelope of the era. */
  readonly bare?: boolean;
  /** Answers what the broker asks before it replies: `result` or `error`. */
  readonly onQuestion?: (question: JsonObject) => JsonObject;
}

/** Messages that no request asked for. */
export interface Notices {
  readonly next: () => Promise<JsonObject>;
  readonly close: () => void;
}

/** An agent's end of a connection: it speaks the bytes of one era over one transport, without any SDK. */
export interface AgentWire {
  readonly era: Era;
  readonly transport: Transport;
  /** The broker behind the endpoint. */
  readonly broker: FakeBroker;
  /** From now on the client says that it can be asked so; a legacy one says it once. */
  declare(capabilities: JsonObject): void;
  /** Sends one request, in the legacy era after a handshake, and waits for the reply. */
  ask(method: string, params?: JsonObject, options?: AskOptions): Promise<WireResponse>;
  begin(method: string, params?: JsonObject, options?: AskOptions): UnderWay;
  /** Sends a notification. @returns the HTTP status, undefined on pipes. */
  notify(method: string, params?: JsonObject): Promise<number | undefined>;
  /** Sends exactly these bytes, as the next thing after a handshake where there has been one. */
  raw(body: string, headers?: Readonly<Record<string, string | undefined>>): Promise<WireResponse>;
  /** Receives unsolicited messages: by `subscriptions/listen`, or on the legacy stream. */
  listen(filter?: JsonObject): Promise<Notices>;
  close(): Promise<void>;
}

/** A way over HTTP has a few things more. */
export interface HttpAgentWire extends AgentWire {
  readonly port: number;
  /** Statuses of the answers to questions, as they were taken. */
  readonly answered: readonly (number | undefined)[];
  /** Of the legacy session, once there is one. */
  session(): Promise<string>;
  /** Any request of HTTP, as the agent of the wire unless headers say otherwise. */
  send(request: {
    readonly method: string;
    readonly headers?: Readonly<Record<string, string | undefined>>;
    readonly body?: string;
  }): Promise<WireResponse>;
}

const META = 'io.modelcontextprotocol';

/** Parameters in the envelope of 2026-07-28. */
export function enveloped(params: JsonObject, capabilities: JsonObject = {}): JsonObject {
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

/** What every legacy conversation begins with. */
export const INITIALIZE_PARAMS: JsonObject = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'wire', version: '1' },
};

/** The headers that a modern request repeats its body in. */
export function mirrorHeaders(method: string, params: JsonObject): Record<string, string> {
  const named = method === 'tools/call' || method === 'prompts/get' ? params.name : undefined;
  const name = method === 'resources/read' ? params.uri : named;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  };
}
