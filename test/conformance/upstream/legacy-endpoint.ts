import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import { textResult } from './content-tools.ts';
import type { Everything } from './everything.ts';
import {
  type Answers,
  asText,
  demandCapabilities,
  type Exchange,
  MISSING_CAPABILITY,
  type Question,
  RpcError,
} from './exchange.ts';
import { EventStream, headerOf, type Message, readMessage, sendJson } from './http-io.ts';

const VERSIONS = ['2025-11-25', '2025-06-18'];
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const RETRY_MS = 200;

interface Session {
  readonly capabilities: JsonObject;
  level: string | undefined;
  /** The GET stream. */
  stream: EventStream | undefined;
  readonly subscribed: Set<string>;
  readonly asked: Map<string, (answer: JsonObject) => void>;
  /** Replies whose stream was closed, by the id of its last event. */
  readonly parked: Map<string, Promise<JsonObject>>;
}

/** The upstream as a server of 2025-06-18 and 2025-11-25: `initialize`, sessions, real requests to the client. */
export class LegacyEndpoint {
  readonly #everything: Everything;
  readonly #sessions = new Map<string, Session>();
  #lastId = 0;

  constructor(everything: Everything) {
    this.#everything = everything;
    everything.onChange((list) => {
      for (const { stream } of this.#sessions.values()) stream?.send(note(`notifications/${list}/list_changed`));
    });
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'POST') {
      const message = await readMessage(request);
      if (message?.method === 'initialize') return this.#initialize(message, response);
      const session = this.#sessionOf(request, response);
      if (!session) return;
      if (!message) return sendJson(response, failed(null, new RpcError(-32600, 'Invalid request')), 400);
      return this.#receive(session, message, response);
    }
    const session = this.#sessionOf(request, response);
    if (!session) return;
    if (request.method === 'DELETE') {
      this.#sessions.delete(String(headerOf(request, 'mcp-session-id')));
      session.stream?.end();
      response.writeHead(200).end();
      return;
    }
    await this.#stream(session, headerOf(request, 'last-event-id'), response);
  }

  #sessionOf(request: IncomingMessage, response: ServerResponse): Session | undefined {
    const id = headerOf(request, 'mcp-session-id');
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (!session) {
      const [code, status] = id === undefined ? [-32000, 400] : [-32001, 404];
      sendJson(response, failed(null, new RpcError(code, 'no such session')), status);
    }
    return session;
  }

  #initialize({ id, params }: Message, response: ServerResponse): void {
    const asked = asText(params.protocolVersion);
    const sessionId = randomUUID();
    this.#sessions.set(sessionId, {
      capabilities: isJsonObject(params.capabilities) ? params.capabilities : {},
      ...{ level: undefined, stream: undefined },
      ...{ subscribed: new Set(), asked: new Map(), parked: new Map() },
    });
    response.setHeader('mcp-session-id', sessionId);
    sendJson(response, {
      ...{ jsonrpc: '2.0', id: id ?? null },
      result: {
        protocolVersion: VERSIONS.includes(asked) ? asked : '2025-11-25',
        capabilities: CAPABILITIES,
        serverInfo: { name: 'everything-upstream', version: '1.0.0' },
      },
    });
  }

  async #stream(session: Session, lastEventId: string | undefined, response: ServerResponse): Promise<void> {
    const stream = new EventStream(response);
    stream.begin();
    const parked = lastEventId === undefined ? undefined : session.parked.get(lastEventId);
    if (parked) {
      stream.send(await parked);
      stream.end();
      return;
    }
    session.stream?.end();
    session.stream = stream;
  }

  async #receive(session: Session, message: Message, response: ServerResponse): Promise<void> {
    const { id, method, params, whole } = message;
    if (id === undefined || method === undefined) {
      if (method === undefined) session.asked.get(asText(id))?.(whole);
      response.writeHead(202).end();
      return;
    }
    const stream = new EventStream(response);
    let hungUp = false;
    const hangUp = (): void => {
      this.#lastId += 1;
      const eventId = `event-${this.#lastId}`;
      session.parked.set(eventId, reply);
      hungUp = true;
      stream.prime(eventId, RETRY_MS);
      stream.end();
    };
    const reply = this.#reply(session, message, this.#exchange(session, { params, stream, hangUp }));
    const body = await reply;
    if (hungUp) return;
    if (method !== 'tools/call' && !stream.hasBegun) return sendJson(response, body);
    stream.send(body);
    stream.end();
  }

  async #reply(
    session: Session,
    { id = null, method = '', params }: Message,
    exchange: Exchange & { readonly notFoundCode: number },
  ): Promise<JsonObject> {
    try {
      // So that the reply exists before the handler can close the connection.
      await Promise.resolve();
      const own = OWN_METHODS[method];
      const result = own ? own(session, params) : await this.#everything.answer(method, params, exchange);
      return { jsonrpc: '2.0', id, result };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // The era has no code for what a client cannot do: such a call fails as any other does.
      return error.code === MISSING_CAPABILITY && method === 'tools/call'
        ? { jsonrpc: '2.0', id, result: { ...textResult(error.message), isError: true } }
        : failed(id, error);
    }
  }

  #exchange(
    session: Session,
    { params, stream, hangUp }: { params: JsonObject; stream: EventStream; hangUp: () => void },
  ): Exchange & { readonly notFoundCode: number } {
    const { progressToken } = isJsonObject(params._meta) ? params._meta : { progressToken: undefined };
    return {
      notFoundCode: -32002,
      capabilities: session.capabilities,
      progress: (progress, total) => {
        if (progressToken !== undefined) {
          stream.send(note('notifications/progress', { progressToken, progress, total }));
        }
      },
      log: (data) => {
        // Without a level the server decides which messages are sent (2025-11-25, logging).
        if (LEVELS.indexOf(session.level ?? 'debug') <= LEVELS.indexOf('info')) {
          stream.send(note('notifications/message', { level: 'info', logger: 'everything', data }));
        }
      },
      ask: (questions) => this.#ask(session, stream, questions),
      hangUp,
    };
  }

  async #ask(session: Session, stream: EventStream, questions: Readonly<Record<string, Question>>): Promise<Answers> {
    demandCapabilities(session.capabilities, Object.values(questions));
    const answered = Object.entries(questions).map(async ([key, { method, params }]) => {
      this.#lastId += 1;
      const id = `question-${this.#lastId}`;
      const { result, error } = await new Promise<JsonObject>((resolve) => {
        session.asked.set(id, resolve);
        stream.send({ jsonrpc: '2.0', id, method, params });
      });
      session.asked.delete(id);
      if (!isJsonObject(result)) throw new RpcError(-32603, `the client did not answer: ${JSON.stringify(error)}`);
      return [key, result] as const;
    });
    return Object.fromEntries(await Promise.all(answered));
  }
}

const CAPABILITIES: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
};

const OWN_METHODS: Readonly<Record<string, (session: Session, params: JsonObject) => JsonObject>> = {
  ping: () => ({}),
  'logging/setLevel': (session, { level }) => {
    if (!LEVELS.includes(asText(level))) throw new RpcError(-32602, 'there is no such level');
    session.level = asText(level);
    return {};
  },
  'resources/subscribe': ({ subscribed }, { uri }) => {
    subscribed.add(asText(uri));
    return {};
  },
  'resources/unsubscribe': ({ subscribed }, { uri }) => {
    subscribed.delete(asText(uri));
    return {};
  },
};

function note(method: string, params?: JsonObject): JsonObject {
  return { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
}

function failed(id: JsonValue, error: RpcError): JsonObject {
  return { jsonrpc: '2.0', id, error: error.body };
}
