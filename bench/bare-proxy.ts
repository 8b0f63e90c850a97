// A proxy without governance, for comparison: it parses and serialises the JSON both ways and does nothing else.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { argument, say } from './part.ts';

const { origin } = argument<{ readonly origin: string }>();
const pool = new Pool(origin, { connections: 64 });

/** Forwards each event when it arrives, with its JSON parsed and serialised. */
async function forwardEvents(events: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let rest = '';
  for await (const chunk of events) {
    const parts = (rest + chunk.toString()).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const message: unknown = JSON.parse(part.slice(part.indexOf('data: ') + 'data: '.length));
      response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    }
  }
  response.end();
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const message: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const { 'content-type': type, accept, 'mcp-protocol-version': version, 'mcp-method': method } = request.headers;
    const headers = {
      'content-type': type,
      accept,
      'mcp-protocol-version': version,
      'mcp-method': method,
      'mcp-name': request.headers['mcp-name'],
    };
    pool
      .request({ path: '/mcp', method: 'POST', headers, body: JSON.stringify(message) })
      .then(async (reply) => {
        if (reply.headers['content-type'] === 'text/event-stream') return forwardEvents(reply.body, response);
        const result: unknown = JSON.parse(await reply.body.text());
        response.writeHead(reply.statusCode, { 'content-type': 'application/json' });
        response.end(JSON.stringify(result));
      })
      .catch(() => response.writeHead(502).end());
  });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
