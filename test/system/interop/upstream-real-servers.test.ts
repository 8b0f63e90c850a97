import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { commandServer, httpServer, openPool, textOf, type Upstream, until } from '../../fixtures/upstream-pool.ts';

const OFFICIAL = resolve(import.meta.dirname, '../../../node_modules/@modelcontextprotocol');
const script = (name: string): string => join(OFFICIAL, `server-${name}/dist/index.js`);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'upstream-real-'));
  closing.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The definition of one tool, as `observe` sees it. */
async function definitionOf({ pool }: Upstream, tool: string): Promise<JsonObject> {
  const observed = await pool.discover('srv');
  if ('error' in observed) throw new Error(observed.error);
  const definition = observed.tools.find(({ name }) => name === tool);
  if (definition === undefined) throw new Error(`no tool ${tool}`);
  return definition;
}

/** The results that the SDK's own client gets from the same server without a broker. */
async function direct(
  args: string[],
  tool: string,
  toolArgs: Record<string, unknown>,
): Promise<{ tools: unknown; result: unknown }> {
  const client = new Client({ name: 'direct', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
  const { tools } = await client.listTools();
  const result = await client.callTool({ name: tool, arguments: toolArgs });
  await client.close();
  return { tools, result };
}

const CASES = [
  ['filesystem', 'read_text_file', (directory: string) => ({ path: join(directory, 'note.txt') })],
  ['memory', 'read_graph', () => ({})],
  ['everything', 'get-structured-content', () => ({ location: 'Chicago' })],
] as const;

test.each(CASES)('the official %s server lists and answers as it does directly', async (name, tool, argsOf) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'note.txt'), 'hello\n');
  const args = [script(name), ...(name === 'filesystem' ? [directory] : [])];
  const env = name === 'memory' ? { MEMORY_FILE_PATH: join(directory, 'memory.jsonl') } : {};
  const upstream = openPool(commandServer(args, { env }));
  const definition = await definitionOf(upstream, tool);
  const outcome = await upstream.call(tool, argsOf(directory), { definition });
  const expected = await direct(args, tool, argsOf(directory));
  expect(outcome).toMatchObject({ kind: 'completed' });
  expect(outcome.kind === 'completed' && outcome.result).toEqual(expected.result);
  expect(expected.tools).toContainEqual(definition);
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server: HttpServer = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

test('a legacy SDK server with sessions is called in its session, and its changes are received', async () => {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const servers: LegacyServer[] = [];
  const url = await listen(async (request, response) => {
    const known = transports.get(String(request.headers['mcp-session-id']));
    if (known !== undefined) return known.handleRequest(request, response);
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    const server = new LegacyServer({ name: 'legacy', version: '1' });
    server.registerTool('greet', { inputSchema: { who: z.string() } }, ({ who }) => ({
      content: [{ type: 'text', text: `hello ${who}` }],
    }));
    servers.push(server);
    await server.connect(transport);
    return transport.handleRequest(request, response);
  });
  const upstream = openPool(httpServer(url, { sharing: 'all' }));
  const definition = await definitionOf(upstream, 'greet');
  expect(textOf(await upstream.call('greet', { who: 'ana' }, { definition }))).toBe('hello ana');
  // The server cannot tell when the stream for notifications is open, so it repeats the notification until it is received.
  servers.at(-1)?.registerTool('late', {}, () => ({ content: [] }));
  const notifying = setInterval(() => servers.at(-1)?.sendToolListChanged(), 20);
  await until(() => upstream.changes.length > 0);
  clearInterval(notifying);
  expect(upstream.changes[0]).toMatchObject({ era: 'legacy', tools: [{ name: 'greet' }, { name: 'late' }] });
});

test('a modern SDK server is called without a session', async () => {
  const handler = createMcpHandler(
    () => {
      const server = new ModernServer({ name: 'modern', version: '1' });
      server.registerTool('greet', { inputSchema: z.object({ who: z.string() }) }, ({ who }) => ({
        content: [{ type: 'text', text: `hallo ${who}` }],
      }));
      return server;
    },
    { legacy: 'reject' },
  );
  const url = await listen(async (request, response) => {
    const body = Buffer.concat((await Readable.from(request).toArray()) as Buffer[]);
    const headers = new Headers(
      Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, { method: 'POST', headers, body }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const upstream = openPool(httpServer(url));
  const definition = await definitionOf(upstream, 'greet');
  expect(textOf(await upstream.call('greet', { who: 'ben' }, { definition }))).toBe('hallo ben');
  expect(upstream.pool.status()).toMatchObject([{ state: 'ready', era: 'modern', protocolVersion: '2026-07-28' }]);
});
