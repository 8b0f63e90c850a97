import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { commandServer, httpServer, openPool, until } from '../../fixtures/upstream-pool.ts';
import type { Transport } from '../requirements/requirement.ts';
import type { Era } from '../upstream/start.ts';
import { defaultAnswers, replyTo, type ServerWire, scriptedAnswer, type WireResponse } from './scripted-server.ts';

const RELAY = resolve(import.meta.dirname, 'relay.mjs');

/** Connects an upstream pool to a scripted server. The broker negotiates the era by itself. */
export async function openServerWire(transport: Transport, era: Era): Promise<ServerWire> {
  const received: WireResponse[] = [];
  const answers = defaultAnswers(era);
  const pushing = new Set<(message: JsonObject) => void>();
  const parts: Parts = { received, answers, pushing, parked: new Map(), abandoned: 0 };
  const served = transport === 'http' ? await serveHttp(parts) : await servePipes(parts);
  const server =
    transport === 'http'
      ? httpServer(`http://127.0.0.1:${served.port}/mcp`)
      : commandServer([RELAY, String(served.port)]);
  const upstream = openPool(server);
  return {
    ...{ era, transport, received, answers, upstream, until },
    of: (method) => received.filter(({ message }) => message.method === method),
    abandoned: () => parts.abandoned,
    push: (message) => {
      for (const push of pushing) push(message);
    },
    close: async () => {
      await upstream.pool.close();
      await served.close();
    },
  };
}

interface Parts {
  readonly received: WireResponse[];
  readonly answers: ReturnType<typeof defaultAnswers>;
  readonly pushing: Set<(message: JsonObject) => void>;
  /** Replies by the event that they follow. */
  readonly parked: Map<string, JsonObject>;
  abandoned: number;
}

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function servePipes({ received, answers, pushing }: Parts): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const say = (message: JsonObject): void => void socket.write(`${JSON.stringify(message)}\n`);
    sockets.add(socket);
    pushing.add(say);
    socket.on('error', () => {});
    socket.on('close', () => pushing.delete(say));
    createInterface({ input: socket }).on('line', (line) => {
      // `as`: the broker writes objects of JSON.
      const one: WireResponse = { verb: 'POST', headers: {}, message: JSON.parse(line) as JsonObject };
      received.push(one);
      void scriptedAnswer(answers, one, say)?.then((scripted) => {
        if (scripted !== 'nothing') say(replyTo(one.message.id, scripted));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // `as`: a server that listens on TCP has such an address.
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serveHttp(parts: Parts): Promise<Listening> {
  const server = createHttpServer((request, response) => {
    void answerHttp(parts, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // `as`: a server that listens on TCP has such an address.
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answerHttp(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { received, answers, pushing, parked } = parts;
  response.on('close', () => {
    if (!response.writableFinished && request.method === 'POST') parts.abandoned += 1;
  });
  const body = await text(request).catch(() => '');
  const { method: verb = '', headers } = request;
  // `as`: the broker posts objects of JSON.
  const one: WireResponse = { verb, headers, message: body === '' ? {} : (JSON.parse(body) as JsonObject) };
  received.push(one);
  const say = (message: JsonObject): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(message)}\n\n`);
  };
  if (verb === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const reply = parked.get(String(headers['last-event-id']));
    if (reply !== undefined) {
      say(reply);
      response.end();
      return;
    }
    pushing.add(say);
    response.on('close', () => pushing.delete(say));
    return;
  }
  const scripted = await scriptedAnswer(answers, one, say);
  if (scripted === undefined) response.writeHead(verb === 'DELETE' ? 200 : 202).end();
  else if (scripted !== 'nothing') {
    const reply = replyTo(one.message.id, scripted);
    if ('after' in scripted) {
      parked.set(scripted.after, reply);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`id: ${scripted.after}\nretry: 1\ndata: \n\n`);
      return;
    }
    if (response.headersSent) {
      say(reply);
      response.end();
      return;
    }
    const status = 'status' in scripted ? scripted.status : 200;
    const more = 'headers' in scripted ? scripted.headers : {};
    response.writeHead(status ?? 200, { 'content-type': 'application/json', ...more });
    response.end(JSON.stringify(reply));
  }
}
