// What a proxy costs that governs nothing: the JSON is parsed and serialised both ways, and that is all.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { argument, say } from './part.ts';

const { origin } = argument<{ readonly origin: string }>();
const pool = new Pool(origin, { connections: 64 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const message: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const { 'content-type': type, accept, 'mcp-protocol-version': version, 'mcp-method': method } = request.headers;
    const headers = {
      ...{ 'content-type': type, accept, 'mcp-protocol-version': version, 'mcp-method': method },
      'mcp-name': request.headers['mcp-name'],
    };
    pool
      .request({ path: '/mcp', method: 'POST', headers, body: JSON.stringify(message) })
      .then(async (answer) => {
        const result: unknown = JSON.parse(await answer.body.text());
        response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
        response.end(JSON.stringify(result));
      })
      .catch(() => response.writeHead(502).end());
  });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
