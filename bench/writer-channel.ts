// Cost of sending ledger entries to the writer thread: the shared memory of `src/storage/writer-channel.ts` against two
// ways of `postMessage`. Both threads do the same work in each, and none opens a database. Sends the medians.
import { hash } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SHA256_OF_BYTES_BEFORE, type Statement, type WriteValue } from '../src/storage/database.ts';
import { StatementDecoder, StatementEncoder, WriterChannel } from '../src/storage/writer-channel.ts';
import { argument, median, say } from './part.ts';

/**
 * `shared`: the codec and the shared memory. `cloned`: a structured clone of the parameters of each statement. `flat`: a
 * structured clone of one array with the parameters of all statements, whose columns both ends know.
 */
const WAYS = ['shared', 'cloned', 'flat'] as const;
type Way = (typeof WAYS)[number];

/** Cost of one entry in batches of one size, in microseconds. */
export interface HandOverCost {
  readonly entriesPerBatch: number;
  /** CPU of both threads, by way. */
  readonly cpuUs: Readonly<Record<Way, number>>;
}

type Start = { readonly way: Way; readonly shared: SharedArrayBuffer };

/** The statement of one entry, about as long as that of a governed call. */
const SQL = `INSERT INTO entry (kind, call, at, principal, body, leaf, salt)
  VALUES (?, ?, ?, ?, CAST(substr(?, 2) AS TEXT), ?, ?)`;
const COLUMNS = 7;
const BODY_COLUMN = 4;
const BODY = `\u0000{"kind":"call.admitted","steps":"${'x'.repeat(1_100)}"}`;
const SALT = Buffer.alloc(16, 7);

function entryStatement(index: number): Statement {
  const id = `01a2089b-6959-7000-a3cd-${String(index).padStart(12, '0')}`;
  return {
    sql: SQL,
    params: ['call.admitted', id, 1_796_000_000_000, 'agent:bench', { utf8: BODY }, SHA256_OF_BYTES_BEFORE, SALT],
  };
}

/** A symbol cannot be cloned: `true` stands for the digest. A clone of a pooled Buffer would take its whole pool along. */
function cloneable(value: WriteValue): unknown {
  if (value === SHA256_OF_BYTES_BEFORE) return true;
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

/** Turns a cloned parameter into a value that the driver binds, as the decoder does for the shared memory. */
function bound(value: unknown, before: unknown): unknown {
  if (value === true) return hash('sha256', before instanceof Uint8Array ? before : '', 'buffer');
  if (typeof value !== 'object' || value === null) return value;
  if ('utf8' in value) return Buffer.from(String(value.utf8));
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

function flatten(batch: readonly Statement[]): readonly unknown[] {
  const flat: unknown[] = [];
  for (const { params } of batch) {
    for (const value of params) {
      const isText = typeof value === 'object' && value !== null && 'utf8' in value;
      flat.push(isText ? value.utf8 : cloneable(value));
    }
  }
  return flat;
}

const READERS: Readonly<Record<Exclude<Way, 'shared'>, (message: readonly unknown[]) => void>> = {
  cloned: (batch) => {
    for (const params of batch) {
      const values: unknown[] = [];
      // `as`: `startWriter` sends arrays in this way.
      for (const value of params as readonly unknown[]) values.push(bound(value, values.at(-1)));
    }
  },
  flat: (values) => {
    for (let from = 0; from < values.length; from += COLUMNS) {
      const params: unknown[] = [];
      for (let column = 0; column < COLUMNS; column += 1) {
        const value = values[from + column];
        params.push(column === BODY_COLUMN ? Buffer.from(String(value)) : bound(value, params.at(-1)));
      }
    }
  },
};

function serveWriter({ way, shared }: Start): void {
  if (way !== 'shared') {
    parentPort?.on('message', (message: readonly unknown[]) => {
      READERS[way](message);
      parentPort?.postMessage('committed');
    });
    return;
  }
  const channel = new WriterChannel(shared);
  while (channel.receive() !== 'close') {
    const batch = new StatementDecoder(channel.statements);
    batch.newSql();
    batch.each(() => {});
    parentPort?.postMessage('committed');
  }
}

interface Writer {
  readonly worker: Worker;
  readonly send: (batch: readonly Statement[]) => void;
}

/** Starts a thread that receives batches in one way. */
function startWriter(way: Way): Writer {
  const channel = new WriterChannel();
  const start: Start = { way, shared: channel.shared };
  // A thread registers the loader of TypeScript for itself.
  const source = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
  const worker = new Worker(source, { eval: true, workerData: start });
  if (way === 'cloned') {
    return { worker, send: (batch) => worker.postMessage(batch.map(({ params }) => params.map(cloneable))) };
  }
  if (way === 'flat') return { worker, send: (batch) => worker.postMessage(flatten(batch)) };
  const encoder = new StatementEncoder();
  return {
    worker,
    send: (batch) => {
      if (encoder.maxBytes(batch) > channel.statements.length) throw new Error('the batch is too large for the bench');
      encoder.encode(batch, channel.statements);
      channel.send('shared');
    },
  };
}

/** Sends each batch when the last one is answered, as the storage does. Returns the CPU of one entry in microseconds. */
async function measureUs({ worker, send }: Writer, batch: readonly Statement[], batches: number): Promise<number> {
  const cpu = process.cpuUsage();
  await new Promise<void>((resolve) => {
    let left = batches;
    const next = (): void => {
      left -= 1;
      if (left > 0) {
        setImmediate(send, batch);
        return;
      }
      worker.off('message', next);
      resolve();
    };
    worker.on('message', next);
    send(batch);
  });
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / (batches * batch.length);
}

interface Plan {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly entries: number;
}

async function compareWays({ sizes, rounds, entries }: Plan): Promise<readonly HandOverCost[]> {
  const writers = { shared: startWriter('shared'), cloned: startWriter('cloned'), flat: startWriter('flat') };
  const costs: HandOverCost[] = [];
  for (const entriesPerBatch of sizes) {
    const batch = Array.from({ length: entriesPerBatch }, (_, index) => entryStatement(index));
    const found: Record<Way, number[]> = { shared: [], cloned: [], flat: [] };
    // The first round warms up. The ways alternate and change their order, so that other load falls on all of them.
    for (let round = 0; round <= rounds; round += 1) {
      for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
        const cpuUs = await measureUs(writers[way], batch, Math.ceil(entries / entriesPerBatch));
        if (round > 0) found[way].push(cpuUs);
      }
    }
    const cpuUs = { shared: median(found.shared), cloned: median(found.cloned), flat: median(found.flat) };
    costs.push({ entriesPerBatch, cpuUs });
  }
  await Promise.all(Object.values(writers).map(({ worker }) => worker.terminate()));
  return costs;
}

if (isMainThread) say(await compareWays(argument()));
// `as`: only `startWriter` starts this file as a thread.
else serveWriter(workerData as Start);
