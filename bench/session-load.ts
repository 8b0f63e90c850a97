// Opens legacy sessions with or without a stream, sends calls in them, and ends them.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Pool } from 'undici';
import { argument, median, say } from './part.ts';

/** Sessions to open. */
export interface SessionLoad {
  readonly origin: string;
  /** Keys of the agents, used by the sessions in turn. */
  readonly keys: readonly string[];
  readonly sessions: number;
  readonly tool: string;
}

/** Command to this process. */
export type SessionCommand =
  | { readonly act: 'open'; readonly streams: boolean }
  | { readonly act: 'end' }
  | { readonly act: 'call'; readonly each: number };

/** Result of a command; only `call` has times. */
export interface SessionResults {
  readonly failures: number;
  readonly failure: string;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Session {
  readonly headers: Readonly<Record<string, string>>;
  stream?: ClientRequest;
}

const load = argument<SessionLoad>();
/** Few connections, so that the measured memory of an idle session is not that of its connection. */
const few = new Pool(load.origin, { connections: 16, pipelining: 1 });
const many = new Pool(load.origin, { connections: load.sessions, pipelining: 1 });
let sessions: Session[] = [];
let lastId = 1;

async function post(pool: Pool, headers: Session['headers'], message: object) {
  const response = await pool.request({
    path: '/mcp',
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
  return { session: response.headers['mcp-session-id'], text: await response.body.text(), status: response.statusCode };
}

async function open(index: number, withStream: boolean): Promise<Session> {
  const authorization = `Bearer ${load.keys[index % load.keys.length]}`;
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {}, roots: { listChanged: true } },
    clientInfo: { name: 'bench', version: '1.0.0' },
  };
  const { session, text } = await post(few, { authorization }, { id: 1, method: 'initialize', params });
  if (typeof session !== 'string') throw new Error(`no session: ${text.slice(0, 300)}`);
  const headers = { authorization, 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
  await post(few, headers, { method: 'notifications/initialized' });
  return withStream ? { headers, stream: await listen(headers) } : { headers };
}

function listen(headers: Session['headers']): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const sent = request(`${load.origin}/mcp`, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      response.resume();
      if (response.statusCode === 200) resolve(sent);
      else reject(new Error(`no stream: ${response.statusCode}`));
    });
    sent.end();
  });
}

/** Runs `work` for each session, `atOnce` at a time. */
async function forEach(work: (index: number) => Promise<void>, atOnce: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < load.sessions) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function end({ headers, stream }: Session): Promise<void> {
  stream?.on('error', () => {});
  stream?.destroy();
  const response = await few.request({ path: '/mcp', method: 'DELETE', headers });
  await response.body.text();
}

async function call(each: number): Promise<SessionResults> {
  const latencies: number[] = [];
  const wrongs: string[] = [];
  const startedMs = performance.now();
  await forEach(async (index) => {
    for (let made = 0; made < each; made += 1) {
      const begunMs = performance.now();
      lastId += 1;
      const params = { name: load.tool, arguments: { id: `c-${lastId}`, depth: 1 } };
      const response = await post(many, sessions[index]?.headers ?? {}, { id: lastId, method: 'tools/call', params });
      latencies.push(performance.now() - begunMs);
      if (
        response.status !== 200 ||
        !response.text.includes(`"jsonrpc":"2.0"`) ||
        !response.text.includes('"structuredContent"')
      )
        wrongs.push(`${response.status} ${response.text.slice(0, 300)}`);
    }
  }, load.sessions);
  const seconds = (performance.now() - startedMs) / 1_000;
  latencies.sort((a, b) => a - b);
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  const callsPerSecond = latencies.length / seconds;
  return { failures: wrongs.length, failure: wrongs[0] ?? '', callsPerSecond, p50Ms: median(latencies), p99Ms };
}

const NOTHING: SessionResults = { failures: 0, failure: '', callsPerSecond: 0, p50Ms: 0, p99Ms: 0 };

async function perform(act: SessionCommand): Promise<SessionResults> {
  if (act.act === 'call') return call(act.each);
  if (act.act === 'open') {
    const opened: Session[] = [];
    await forEach(async (index) => {
      opened[index] = await open(index, act.streams);
    }, 16);
    sessions = opened;
    return NOTHING;
  }
  await forEach(async (index) => {
    const session = sessions[index];
    if (session) await end(session);
  }, 16);
  sessions = [];
  return NOTHING;
}

process.on('message', (act: SessionCommand) => {
  perform(act).then(say, (error: unknown) => say({ ...NOTHING, failures: load.sessions, failure: String(error) }));
});
say('ready');
