// A tool server of 2026-07-28 that costs as little as it can: every call is answered with 1 KB.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { argument, say } from './part.ts';

const { tools: toolCount } = argument<{ readonly tools: number }>();

const record = {
  type: 'object',
  properties: { id: { type: 'string' }, notes: { type: 'string' }, amount: { type: 'number' } },
  required: ['id', 'notes', 'amount'],
  additionalProperties: false,
};
const structuredContent = { id: 'c-1', notes: 'n'.repeat(400), amount: 12.5 };
const called = {
  resultType: 'complete',
  content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
  structuredContent,
};
const cacheable = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
const tools = Array.from({ length: toolCount }, (_, index) => ({
  name: index === 0 ? 'lookup' : `lookup_${index}`,
  description: 'Looks one customer up by id and gives back what is known of it.',
  inputSchema: {
    type: 'object',
    properties: { id: { type: 'string', maxLength: 64 }, depth: { type: 'integer', minimum: 0, maximum: 9 } },
    required: ['id'],
    additionalProperties: false,
  },
  outputSchema: record,
}));
const results: Readonly<Record<string, object>> = {
  'server/discover': { ...cacheable, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
  'tools/list': { ...cacheable, tools },
  'tools/call': called,
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const message: { id?: number; method: string } = JSON.parse(Buffer.concat(chunks).toString());
    const result = results[message.method];
    const body = result ? { result } : { error: { code: -32601, message: 'method not found' } };
    response.writeHead(result ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, ...body }));
  });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
