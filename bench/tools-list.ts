import { Pool } from 'undici';
import { isJsonObject } from '../src/lib/json/json.ts';
import { cpuUsOf, median } from './part.ts';

const WARM_UP_ROUNDS = 5;

/** Cost of reading a whole tool list. */
export interface ListCost {
  readonly tools: number;
  readonly pages: number;
  /** Sum over all pages of the time from the request to the last byte at the client. */
  readonly listMs: number;
  /** Time of `JSON.parse` at the client, not included in `listMs`. */
  readonly parseMs: number;
  /** CPU of the broker for the whole list. */
  readonly cpuMs: number;
  readonly firstPageMs: number;
}

/** Reads the whole list `rounds` times, after some rounds to warm up. */
export async function measureList(
  broker: { readonly origin: string; readonly key: string; readonly pid: number | undefined },
  rounds: number,
): Promise<ListCost> {
  const pool = new Pool(broker.origin, { connections: 1 });
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await readPages(pool, broker.key);
  const beforeUs = cpuUsOf(broker.pid);
  const measured: Awaited<ReturnType<typeof readPages>>[] = [];
  for (let round = 0; round < rounds; round += 1) measured.push(await readPages(pool, broker.key));
  const cpuMs = (cpuUsOf(broker.pid) - beforeUs) / rounds / 1_000;
  await pool.close();
  return {
    tools: measured[0]?.tools ?? 0,
    pages: measured[0]?.pages ?? 0,
    cpuMs,
    listMs: median(measured.map(({ listMs }) => listMs)),
    parseMs: median(measured.map(({ parseMs }) => parseMs)),
    firstPageMs: median(measured.map(({ firstPageMs }) => firstPageMs)),
  };
}

async function readPages(pool: Pool, key: string): Promise<Omit<ListCost, 'cpuMs'>> {
  let cursor: string | undefined;
  let tools = 0;
  let pages = 0;
  let firstPageMs = 0;
  let listMs = 0;
  let parseMs = 0;
  do {
    const page = await readPage(pool, key, cursor);
    tools += page.tools;
    pages += 1;
    cursor = page.cursor;
    listMs += page.ms;
    parseMs += page.parseMs;
    if (pages === 1) firstPageMs = page.ms;
  } while (cursor !== undefined);
  return { tools, pages, listMs, parseMs, firstPageMs };
}

async function readPage(
  pool: Pool,
  key: string,
  cursor: string | undefined,
): Promise<{ tools: number; ms: number; parseMs: number; cursor?: string }> {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { ...(cursor === undefined ? {} : { cursor }), _meta: envelope };
  const startedMs = performance.now();
  const response = await pool.request({
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
  const bytes = Buffer.from(await response.body.arrayBuffer());
  // Ends at the last byte: the client's parser does not count for the broker.
  const ms = performance.now() - startedMs;
  const text = bytes.toString('utf8');
  const message: unknown = JSON.parse(text);
  const parseMs = performance.now() - startedMs - ms;
  const result = isJsonObject(message) ? message.result : undefined;
  if (!isJsonObject(result) || !Array.isArray(result.tools)) throw new Error(`no list: ${text.slice(0, 300)}`);
  const next = result.nextCursor;
  return { tools: result.tools.length, ms, parseMs, ...(typeof next === 'string' ? { cursor: next } : {}) };
}
