// A tool server of 2026-07-28 with the least possible cost. The result of a call is 1 KB as text and again as structured
// content. With `notifications` the response is a stream: one progress notification, a pause, the others, the result.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { argument, say } from './part.ts';

/** Behaviour of the tool server. */
export interface UpstreamPlan {
  readonly tools: number;
  /** Progress notifications of each call, and the pause after the first. Default: none. */
  readonly notifications?: { readonly count: number; readonly pauseMs: number };
}

const { tools: toolCount, notifications } = argument<UpstreamPlan>();

const record = {
  type: 'object',
  properties: { id: { type: 'string' }, notes: { type: 'string' }, amount: { type: 'number' } },
  required: ['id', 'notes', 'amount'],
  additionalProperties: false,
};
const structuredContent = { id: 'c-1', notes: 'n'.repeat(960), amount: 12.5 };
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

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly _meta?: { readonly progressToken?: string | number } };
}

async function sendProgress(
  { id, params }: Message,
  response: ServerResponse,
  { count, pauseMs }: NonNullable<UpstreamPlan['notifications']>,
): Promise<void> {
  const event = (message: object): string =>
    `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
  const progressToken = params?._meta?.progressToken;
  const notification = (progress: number): string =>
    event({
      method: 'notifications/progress',
      params: { progressToken, progress, total: count, message: 'on its way' },
    });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(notification(1));
  await wait(pauseMs);
  for (let progress = 2; progress <= count; progress += 1) response.write(notification(progress));
  response.end(event({ id, result: called }));
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const message: Message = JSON.parse(Buffer.concat(chunks).toString());
    if (notifications && message.method === 'tools/call') return void sendProgress(message, response, notifications);
    const result = results[message.method];
    const body = result ? { result } : { error: { code: -32601, message: 'method not found' } };
    response.writeHead(result ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, ...body }));
  });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
