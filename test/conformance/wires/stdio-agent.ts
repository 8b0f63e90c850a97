import { createInterface } from 'node:readline';
import { duplexPair } from 'node:stream';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { fakeBroker, principalNamed, TEST_PORTS } from '../../fixtures/http-harness.ts';
import type { Era } from '../upstream/start.ts';
import {
  type AgentWire,
  INITIALIZE_PARAMS,
  type PendingRequest,
  type RequestOptions,
  type WireResponse,
  withModernMeta,
} from './agent-wire.ts';

/** Opens a stdio connection to a fake broker, and returns the agent's end of it. */
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
        jsonrpc: '2.0',
        id: 'initialize',
        method: 'initialize',
        params: { ...INITIALIZE_PARAMS, capabilities: declared },
      })
      .then(() => lines.say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })));
    return era === 'modern' ? Promise.resolve() : initialized;
  };

  const startRequest = (method: string, params: JsonObject = {}, options: RequestOptions = {}): PendingRequest => {
    lastId += 1;
    const { id = lastId, bare = false, onInputRequest } = options;
    const sent = era === 'modern' && !bare ? withModernMeta(params, declared) : params;
    if (onInputRequest !== undefined) lines.onInputRequest = onInputRequest;
    const message = { jsonrpc: '2.0', id, method, params: sent };
    const received = (era === 'modern' ? Promise.resolve() : initialize()).then(() => lines.ask(id, message));
    return { received, disconnect: () => near.end() };
  };

  return {
    era,
    transport: 'stdio',
    broker,
    startRequest,
    declare: (capabilities) => {
      declared = capabilities;
    },
    request: (method, params, options) => startRequest(method, params, options).received,
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
        const params = withModernMeta({ notifications: filter });
        lines.say(JSON.stringify({ jsonrpc: '2.0', id: 'listen', method: 'subscriptions/listen', params }));
      }
      return { next: () => lines.next(), close: () => {} };
    },
    close: () => stream.close({ drainMs: 0 }),
  };
}

/** Separates replies to our requests from all other messages. */
class Lines {
  readonly say: (line: string) => void;
  /** Responds to input requests, if the test does. */
  onInputRequest: ((request: JsonObject) => JsonObject) | undefined;
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
    // `as`: the broker writes JSON objects.
    const message = JSON.parse(line) as JsonObject;
    const { id } = message;
    const waiting = typeof id === 'string' || typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting && message.method === undefined) {
      this.#waiting.delete(id as string | number);
      waiting({ status: undefined, headers: {}, message, before: this.#before });
      return;
    }
    this.#before.push(message);
    if (message.method !== undefined && id !== undefined && this.onInputRequest !== undefined) {
      const clientResponse = JSON.stringify({ jsonrpc: '2.0', id, ...this.onInputRequest(message) });
      // A pipe delivers no response while the request is still being written.
      setImmediate(() => this.say(clientResponse));
      return;
    }
    const listening = this.#listening.shift();
    if (listening) listening(message);
    else this.#others.push(message);
  }
}
