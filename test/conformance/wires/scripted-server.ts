import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import type { Upstream } from '../../fixtures/upstream-pool.ts';
import type { Transport } from '../requirements/requirement.ts';
import type { Era } from '../upstream/start.ts';

/** A message of the broker, as its bytes said. */
export interface WireResponse {
  /** Of HTTP; POST on pipes. */
  readonly verb: string;
  readonly headers: IncomingHttpHeaders;
  /** Empty where a request of HTTP had no body. */
  readonly message: JsonObject;
}

/** What a tool server is asked, and its ways to say more than the reply. */
export interface Asked {
  readonly id: JsonValue;
  readonly params: JsonObject;
  readonly headers: IncomingHttpHeaders;
  /** Says something before the reply: a notification or a question. */
  readonly say: (message: JsonObject) => void;
}

export type Scripted =
  | { readonly result: JsonObject; readonly headers?: Readonly<Record<string, string>> }
  | { readonly error: JsonObject; readonly status?: number }
  /** Over HTTP the reply is sent on the stream that goes on from the event of this id. */
  | { readonly result: JsonObject; readonly after: string }
  | 'nothing';
export type Answerer = (asked: Asked) => Scripted | Promise<Scripted>;

/** A tool server's end of an upstream connection: a test scripts its responses and reads what it received. */
export interface ServerWire {
  readonly era: Era;
  readonly transport: Transport;
  /** Everything that the broker sent, oldest first. */
  readonly received: readonly WireResponse[];
  /** What arrived of one method. */
  of(method: string): readonly WireResponse[];
  /** What the server answers by method; a test may put others in place. */
  readonly answers: Record<string, Answerer>;
  /** How many requests were hung up on before they were answered; HTTP only. */
  abandoned(): number;
  /** Says something unasked. */
  push(message: JsonObject): void;
  /** The broker's side. */
  readonly upstream: Upstream;
  /** Resolves when it is so. */
  until(isSo: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** What it answers unless a test says otherwise: one tool, one prompt, one resource, one template. */
export function defaultAnswers(era: Era): Record<string, Answerer> {
  const complete = (result: JsonObject): JsonObject =>
    era === 'legacy' ? result : { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result };
  const capabilities = {
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true },
    completions: {},
    logging: {},
  };
  return {
    ...(era === 'legacy'
      ? {
          initialize: ({ params }: Asked) => ({
            result: {
              protocolVersion: params.protocolVersion ?? null,
              ...{ capabilities, serverInfo: { name: 'scripted', version: '1' } },
            },
            headers: { 'mcp-session-id': 'session-1' },
          }),
        }
      : {
          'server/discover': () => ({ result: complete({ supportedVersions: ['2026-07-28'], capabilities }) }),
        }),
    'tools/list': () => ({ result: complete({ tools: [TOOL] }) }),
    'prompts/list': () => ({ result: complete({ prompts: [] }) }),
    'resources/list': () => ({ result: complete({ resources: [] }) }),
    'resources/templates/list': () => ({ result: complete({ resourceTemplates: [] }) }),
    'tools/call': () => ({ result: complete({ content: [{ type: 'text', text: 'done' }] }) }),
  };
}

export const TOOL: JsonObject = { name: 'act', description: 'acts', inputSchema: { type: 'object' } };

/** Reads a message and finds its scripted answer; undefined where none is due. */
export function scriptedAnswer(
  answers: Readonly<Record<string, Answerer>>,
  { message, headers }: WireResponse,
  say: (message: JsonObject) => void,
): Promise<Scripted> | undefined {
  const { id, method, params } = message;
  if (id === undefined || typeof method !== 'string') return undefined;
  const answer = answers[method];
  const asked: Asked = { id, params: isJsonObject(params) ? params : {}, headers, say };
  const unknown: Scripted = { error: { code: -32601, message: 'Method not found' }, status: 404 };
  return Promise.resolve(answer === undefined ? unknown : answer(asked));
}

export function replyTo(id: JsonValue | undefined, scripted: Exclude<Scripted, 'nothing'>): JsonObject {
  const head = { jsonrpc: '2.0', id: id ?? null };
  return 'result' in scripted ? { ...head, result: scripted.result } : { ...head, error: scripted.error };
}
