import { Pool } from 'undici';
import { isJsonObject } from '../src/lib/json.ts';
import { median } from './part.ts';

/** What it costs an agent to read its whole list. */
export interface ListCost {
  readonly tools: number;
  readonly pages: number;
  /** The whole list, all pages, as the caller sees it. */
  readonly listMs: number;
  readonly firstPageMs: number;
}

/** Reads the whole list `rounds` times after one time to warm up. */
export async function measureList(origin: string, key: string, rounds: number): Promise<ListCost> {
  const pool = new Pool(origin, { connections: 1 });
  const walks: { tools: number; pages: number; listMs: number; firstPageMs: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) walks.push(await walk(pool, key));
  await pool.close();
  const [, ...measured] = walks;
  return {
    tools: measured[0]?.tools ?? 0,
    pages: measured[0]?.pages ?? 0,
    listMs: median(measured.map(({ listMs }) => listMs)),
    firstPageMs: median(measured.map(({ firstPageMs }) => firstPageMs)),
  };
}

async function walk(pool: Pool, key: string): Promise<ListCost> {
  let cursor: string | undefined;
  let tools = 0;
  let pages = 0;
  let firstPageMs = 0;
  const startedMs = performance.now();
  do {
    const page = await readPage(pool, key, cursor);
    tools += page.tools;
    pages += 1;
    cursor = page.cursor;
    if (pages === 1) firstPageMs = performance.now() - startedMs;
  } while (cursor !== undefined);
  return { tools, pages, listMs: performance.now() - startedMs, firstPageMs };
}

async function readPage(
  pool: Pool,
  key: string,
  cursor: string | undefined,
): Promise<{ tools: number; cursor?: string }> {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { ...(cursor === undefined ? {} : { cursor }), _meta: envelope };
  const answer = await pool.request({
    path: '/mcp',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params }),
  });
  const text = await answer.body.text();
  const message: unknown = JSON.parse(text);
  const result = isJsonObject(message) ? message.result : undefined;
  if (!isJsonObject(result) || !Array.isArray(result.tools)) throw new Error(`no list: ${text.slice(0, 300)}`);
  const next = result.nextCursor;
  return { tools: result.tools.length, ...(typeof next === 'string' ? { cursor: next } : {}) };
}
