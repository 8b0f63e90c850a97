import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import type { Everything } from './everything.ts';
import { type Answers, asText, demandCapabilities, type Exchange, RpcError } from './exchange.ts';
import { EventStream, type Message, readMessage, sendJson } from './http-io.ts';
import { checkRequest, META, VERSION } from './modern-request.ts';
import { InputRequired, seal, unseal } from './request-state.ts';

const SERVER_INFO = { name: 'everything-upstream', version: '1.0.0' };
const CACHED = [
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
];
const DISCOVERED: JsonObject = {
  supportedVersions: [VERSION],
  capabilities: {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
  },
};

/** The upstream as a server of 2026-07-28: no sessions, an envelope on every request, questions as results. */
export class ModernEndpoint {
  readonly #everything: Everything;

  constructor(everything: Everything) {
    this.#everything = everything;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    const message = await readMessage(request);
    if (!message?.method) return sendJson(response, failed(null, new RpcError(-32600, 'Invalid request')), 400);
    const { id } = message;
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const stream = new EventStream(response);
    try {
      checkRequest(request, message, (name) => this.#everything.tool(name));
      if (message.method === 'subscriptions/listen') return this.#listen(message, { stream, response });
      const body: JsonObject = { jsonrpc: '2.0', id, result: await this.#result(message, stream) };
      if (!stream.hasBegun) return sendJson(response, body);
      stream.send(body);
      stream.end();
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (!stream.hasBegun) return sendJson(response, failed(id, error), error.status);
      stream.send(failed(id, error));
      stream.end();
    }
  }

  async #result({ method = '', params }: Message, stream: EventStream): Promise<JsonObject> {
    const meta = { [META.serverInfo]: SERVER_INFO };
    const caching = CACHED.includes(method) ? { ttlMs: 0, cacheScope: 'private' } : {};
    const complete = (result: JsonObject): JsonObject => ({
      resultType: 'complete',
      ...caching,
      ...result,
      _meta: meta,
    });
    if (method === 'server/discover') return complete(DISCOVERED);
    if (!this.#everything.knows(method)) {
      throw new RpcError(-32601, `Method not found: ${method}`, { status: 404 });
    }
    try {
      return complete(await this.#everything.answer(method, params, exchangeOf(params, stream)));
    } catch (error) {
      if (error instanceof InputRequired) return complete(error.result);
      throw error;
    }
  }

  #listen(
    { id = null, params }: Message,
    { stream, response }: { stream: EventStream; response: ServerResponse },
  ): void {
    const asked = isJsonObject(params.notifications) ? params.notifications : {};
    const tag = { [META.subscriptionId]: id };
    const granted = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged', 'resourceSubscriptions'];
    const notifications = Object.fromEntries(Object.entries(asked).filter(([name]) => granted.includes(name)));
    stream.send(note('notifications/subscriptions/acknowledged', { notifications, _meta: tag }));
    const unwatch = this.#everything.onChange((list) => {
      if (asked[`${list}ListChanged`] === true) stream.send(note(`notifications/${list}/list_changed`, { _meta: tag }));
    });
    response.on('close', unwatch);
  }
}

function exchangeOf(params: JsonObject, stream: EventStream): Exchange & { readonly notFoundCode: number } {
  const meta = isJsonObject(params._meta) ? params._meta : {};
  const { progressToken } = meta;
  const capabilities = meta[META.clientCapabilities];
  const declared = isJsonObject(capabilities) ? capabilities : {};
  const ask = askingOf(params, declared);
  return {
    ...{ notFoundCode: -32602, capabilities: declared, ask },
    progress: (progress, total) => {
      if (progressToken !== undefined) stream.send(note('notifications/progress', { progressToken, progress, total }));
    },
    log: (data) => {
      if (meta[META.logLevel] === 'debug' || meta[META.logLevel] === 'info') {
        stream.send(note('notifications/message', { level: 'info', logger: 'everything', data }));
      }
    },
    // 2026-07-28 has no stream to come back to.
    hangUp: () => {},
  };
}

/** Answers come with the request: those of rounds that are over in its state, those of this round beside it. */
function askingOf(params: JsonObject, capabilities: JsonObject): Exchange['ask'] {
  const target = asText(params.name);
  const { inputResponses, requestState } = params;
  const over = requestState === undefined ? [] : unseal(requestState, target).rounds;
  let responses = readResponses(inputResponses);
  let round = 0;
  return async (questions, { sealed = false } = {}) => {
    const remembered = over[round];
    round += 1;
    if (remembered) return remembered;
    demandCapabilities(capabilities, Object.values(questions));
    const answered = Object.keys(questions).every((key) => responses[key] !== undefined);
    if (answered && Object.keys(questions).length > 0) {
      const answers = Object.fromEntries(Object.keys(questions).map((key) => [key, responses[key] ?? {}]));
      over.push(answers);
      responses = {};
      return answers;
    }
    const hasState = sealed || over.length > 0;
    throw new InputRequired(questions, hasState ? seal({ target, rounds: over }) : undefined);
  };
}

function readResponses(inputResponses: JsonValue | undefined): Answers {
  if (inputResponses === undefined) return {};
  const malformed = new RpcError(-32602, 'Invalid params: an answer is not an object', { status: 400 });
  if (!isJsonObject(inputResponses)) throw malformed;
  const entries = Object.entries(inputResponses).map(([key, answer]) => {
    if (!isJsonObject(answer)) throw malformed;
    return [key, answer] as const;
  });
  return Object.fromEntries(entries);
}

function note(method: string, params: JsonObject): JsonObject {
  return { jsonrpc: '2.0', method, params };
}

function failed(id: JsonValue, error: RpcError): JsonObject {
  return { jsonrpc: '2.0', id, error: error.body };
}
