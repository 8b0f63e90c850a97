import { createInterface } from 'node:readline';
import { duplexPair } from 'node:stream';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { fakeBroker, principalNamed, TEST_PORTS } from '../../fixtures/http-harness.ts';
import type { Era } from '../upstream/start.ts';
import {
  type AgentWire,
  type AskOptions,
  enveloped,
  INITIALIZE_PARAMS,
  type UnderWay,
  type WireResponse,
} from './agent-wire.ts';

/** Opens a stdio endpoint before a fake broker, and an agent's end of it. */
export async function openStdioAgent(era: Era): Promise<AgentWire> {
  const broker = fakeBroker();
  const principal = principalNamed('demo');
  const [near, far] = duplexPair();
  const services = createServices({ ...TEST_PORTS, broker });
  const stream = serveStdio({ services, input: far, output: far, principal: () => principal });
  const lines = new Lines((line) => void near.write(`${line}\n`));
  createInterface({ input: near }).on('line', (line) => lines.take(line));
  let lastId = 0;
  let declared: JsonObject = {};
  let initialized: Promise<unknown> | undefined;

  const initialize = (): Promise<unknown> => {
    initialized ??= lines
      .ask('initialize', {
        ...{ jsonrpc: '2.0', id: 'initialize', method: 'initialize' },
        params: { ...INITIALIZE_PARAMS, capabilities: declared },
      })
      .then(() => lines.say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })));
    return era === 'modern' ? Promise.resolve() : initialized;
  };

  const begin = (method: string, params: JsonObject = {}, options: AskOptions = {}): UnderWay => {
    lastId += 1;
    const { id = lastId, bare = false, onQuestion } = options;
    const sent = era === 'modern' && !bare ? enveloped(params, declared) : params;
    if (onQuestion !== undefined) lines.onQuestion = onQuestion;
    const message = { jsonrpc: '2.0', id, method, params: sent };
    const received = (era === 'modern' ? Promise.resolve() : initialize()).then(() => lines.ask(id, message));
    return { received, hangUp: () => near.end() };
  };

  return {
    ...{ era, transport: 'stdio', broker, begin },
    declare: (capabilities) => {
      declared = capabilities;
    },
    ask: (method, params, options) => begin(method, params, options).received,
    notify: async (method, params = {}) => {
      if (era === 'legacy') await initialize();
      lines.say(JSON.stringify({ jsonrpc: '2.0', method, params }));
      return undefined;
    },
    raw: async (body) => {
      lines.say(body);
      return { status: undefined, headers: {}, message: await lines.next(), before: [] };
    },
    listen: async (filter = { toolsListChanged: true }) => {
      if (era === 'legacy') await initialize();
      else {
        const params = enveloped({ notifications: filter });
        lines.say(JSON.stringify({ jsonrpc: '2.0', id: 'listen', method: 'subscriptions/listen', params }));
      }
      return { next: () => lines.next(), close: () => {} };
    },
    close: () => stream.close({ drainMs: 0 }),
  };
}

/** Parts replies to our requests from all else that comes. */
class Lines {
  readonly say: (line: string) => void;
  /** Answers questions, where a test does. */
  onQuestion: ((question: JsonObject) => JsonObject) | undefined;
  readonly #waiting = new Map<string | number, (received: WireResponse) => void>();
  readonly #others: JsonObject[] = [];
  readonly #listening: ((message: JsonObject) => void)[] = [];
  #before: JsonObject[] = [];

  constructor(say: (line: string) => void) {
    this.say = say;
  }

  ask(id: string | number, message: object): Promise<WireResponse> {
    this.#before = [];
    const received = new Promise<WireResponse>((resolve) => this.#waiting.set(id, resolve));
    this.say(JSON.stringify(message));
    return received;
  }

  next(): Promise<JsonObject> {
    const first = this.#others.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => this.#listening.push(resolve));
  }

  take(line: string): void {
    // `as`: the endpoint writes JSON objects.
    const message = JSON.parse(line) as JsonObject;
    const { id } = message;
    const waiting = typeof id === 'string' || typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting && message.method === undefined) {
      this.#waiting.delete(id as string | number);
      waiting({ status: undefined, headers: {}, message, before: this.#before });
      return;
    }
    this.#before.push(message);
    if (message.method !== undefined && id !== undefined && this.onQuestion !== undefined) {
      const answer = JSON.stringify({ jsonrpc: '2.0', id, ...this.onQuestion(message) });
      // No pipe hands an answer back while the question is still being written.
      setImmediate(() => this.say(answer));
      return;
    }
    const listening = this.#listening.shift();
    if (listening) listening(message);
    else this.#others.push(message);
  }
}
