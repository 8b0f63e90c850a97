import { type ClientRequest, type IncomingMessage, request as open } from 'node:http';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { openHarness } from '../../fixtures/http-harness.ts';
import type { Era } from '../upstream/start.ts';
import {
  type HttpAgentWire,
  INITIALIZE_PARAMS,
  mirrorHeaders,
  type NotificationStream,
  type PendingRequest,
  type RequestOptions,
  type WireResponse,
  withModernMeta,
} from './agent-wire.ts';

/** Receives each message of a stream. */
type MessageListener = (message: JsonObject) => void;
type Headers = Readonly<Record<string, string | undefined>>;

/** Opens a real HTTP server with a fake broker, and returns an agent of it. */
export async function openHttpAgent(era: Era): Promise<HttpAgentWire> {
  const { broker, ingress } = await openHarness();
  const { port } = ingress;
  const streams = new Set<() => void>();
  let lastId = 0;
  let declared: JsonObject = {};
  const responseStatuses: (number | undefined)[] = [];
  let initialized: Promise<string> | undefined;
  let closed: Promise<void> | undefined;

  const post = (body: string, headers: Headers, onMessage?: MessageListener): PendingRequest =>
    exchange(port, { method: 'POST', headers, body }, onMessage);

  const session = (): Promise<string> => {
    initialized ??= openSession(post, declared);
    return initialized;
  };

  const headersOf = async (method: string, params: JsonObject): Promise<Record<string, string>> =>
    era === 'modern' ? mirrorHeaders(method, params) : { 'mcp-session-id': await session() };

  const startRequest = (method: string, params: JsonObject = {}, options: RequestOptions = {}): PendingRequest => {
    lastId += 1;
    const { id = lastId, headers = {}, bare = false, onInputRequest } = options;
    const sent = era === 'modern' && !bare ? withModernMeta(params, declared) : params;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: sent });
    let disconnect = (): void => {};
    const received = headersOf(method, params).then((own) => {
      const respond: MessageListener = (message) => {
        if (message.method === undefined || message.id === undefined || onInputRequest === undefined) return;
        const clientResponse = { jsonrpc: '2.0', id: message.id, ...onInputRequest(message) };
        void post(JSON.stringify(clientResponse), own).received.then(({ status }) => responseStatuses.push(status));
      };
      const pending = post(body, { ...own, ...headers }, respond);
      disconnect = pending.disconnect;
      return pending.received;
    });
    // The reply of a closed connection is lost.
    received.catch(() => {});
    return { received, disconnect: () => disconnect() };
  };

  return {
    era,
    transport: 'http',
    broker,
    port,
    session,
    startRequest,
    responseStatuses,
    declare: (capabilities) => {
      declared = capabilities;
    },
    request: (method, params, options) => startRequest(method, params, options).received,
    notify: async (method, params = {}) => {
      const body = JSON.stringify({ jsonrpc: '2.0', method, params });
      return (await post(body, await headersOf(method, params)).received).status;
    },
    raw: async (body, headers = {}) => post(body, headers).received,
    send: (request) => exchange(port, request).received,
    listen: async (filter = { toolsListChanged: true }) => {
      const params = withModernMeta({ notifications: filter }, declared);
      const stream = await openStream(port, {
        ...(era === 'modern'
          ? {
              method: 'POST',
              headers: mirrorHeaders('subscriptions/listen', params),
              body: JSON.stringify({ jsonrpc: '2.0', id: 'listen', method: 'subscriptions/listen', params }),
            }
          : { method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': await session() } }),
      });
      streams.add(stream.close);
      return stream;
    },
    close: async () => {
      closed ??= ingress.close({ drainMs: 0 });
      await closed;
      for (const close of streams) close();
    },
  };
}

async function openSession(
  post: (body: string, headers: Headers) => PendingRequest,
  capabilities: JsonObject,
): Promise<string> {
  const params = { ...INITIALIZE_PARAMS, capabilities };
  const initialize = { jsonrpc: '2.0', id: 'initialize', method: 'initialize', params };
  const { headers } = await post(JSON.stringify(initialize), {}).received;
  const session = String(headers['mcp-session-id']);
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  await post(JSON.stringify(initialized), { 'mcp-session-id': session }).received;
  return session;
}

interface HttpRequest {
  readonly method: string;
  readonly headers?: Headers;
  readonly body?: string;
}

interface Opened {
  readonly sent: ClientRequest;
  readonly answered: Promise<IncomingMessage>;
}

/** Sends a request; an undefined header is left out. */
function opening(port: number, { method, headers = {}, body }: HttpRequest): Opened {
  const fields: Headers = {
    authorization: 'Bearer key-of-demo',
    accept: 'application/json, text/event-stream',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const named = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const sent = open({ host: '127.0.0.1', port, method, path: '/mcp', agent: false, headers: named });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  sent.end(body);
  return { sent, answered };
}

function exchange(port: number, request: HttpRequest, onMessage: MessageListener = () => {}): PendingRequest {
  const { sent, answered } = opening(port, request);
  const received = answered.then(async (response): Promise<WireResponse> => {
    const { statusCode: status, headers } = response;
    const isStream = String(headers['content-type']).startsWith('text/event-stream');
    const messages: JsonObject[] = [];
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (!isStream) continue;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const message of blocks.flatMap(eventsOf)) {
        messages.push(message);
        onMessage(message);
      }
    }
    if (!isStream) messages.push(...jsonOf(text));
    return { status, headers, message: messages.at(-1) ?? {}, before: messages.slice(0, -1) };
  });
  // The reply of a closed connection is lost.
  received.catch(() => {});
  return { received, disconnect: () => void sent.destroy() };
}

function jsonOf(text: string): readonly JsonObject[] {
  // `as`: the broker sends JSON objects.
  return text === '' ? [] : [JSON.parse(text) as JsonObject];
}

function eventsOf(text: string): readonly JsonObject[] {
  return text.split('\n').flatMap((line) => (line.startsWith('data: ') ? jsonOf(line.slice(6)) : []));
}

/** An event stream that stays open. */
async function openStream(port: number, request: HttpRequest): Promise<NotificationStream> {
  const { sent, answered } = opening(port, request);
  const response = await answered;
  const arrived: JsonObject[] = [];
  const waiting: ((message: JsonObject) => void)[] = [];
  let rest = '';
  response.on('data', (chunk: Buffer) => {
    const blocks = `${rest}${chunk.toString()}`.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const message of blocks.flatMap(eventsOf)) {
      const first = waiting.shift();
      if (first) first(message);
      else arrived.push(message);
    }
  });
  response.on('error', () => {});
  return {
    next: () => {
      const first = arrived.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => void sent.destroy(),
  };
}
