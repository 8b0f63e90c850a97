import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Statement } from './database.ts';
import type { SqliteWriterStart, WriterFailure, WriterReply } from './sqlite-writer.ts';
import { StatementEncoder, WriterChannel } from './writer-channel.ts';

/** Starts the built file, or the source through a loader, which each thread must register for itself. */
function startWorker(start: SqliteWriterStart): Worker {
  const options = { workerData: start, execArgv: [], name: 'sqlite-writer' };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sqlite-writer.js', import.meta.url), options);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const loader = JSON.stringify(new URL('./dist/esm/api/index.mjs', tsx).href);
  const source = JSON.stringify(new URL('./sqlite-writer.ts', import.meta.url).href);
  const script = `import(${loader}).then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(script, { ...options, eval: true });
}

/** Handle of the writer thread on the main thread: one batch at a time, one reply to each. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #channel: WriterChannel;
  readonly #encoder = new StatementEncoder();
  readonly #ended: Promise<void>;
  #onReply: ((reply: 'committed' | WriterFailure) => void) | undefined;
  #isAlive = true;

  private constructor(worker: Worker, channel: WriterChannel, ended: Promise<void>) {
    this.#worker = worker;
    this.#channel = channel;
    this.#ended = ended;
    worker.on('message', (reply: WriterReply) => {
      if (reply !== 'ready') this.#settle(reply);
    });
  }

  /** Starts the thread and resolves when it has opened the file. Rejects with the driver's error. */
  static async start(path: string): Promise<SqliteThread> {
    const channel = new WriterChannel();
    const worker = startWorker({ path, shared: channel.shared });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the writer thread ended before it was ready')));
    });
    const thread = new SqliteThread(worker, channel, ended);
    // If the thread dies, its batch is answered with a failure; otherwise the caller would wait forever.
    worker.on('error', () => thread.#die());
    worker.on('exit', () => thread.#die());
    return thread;
  }

  /** False once the thread has died; a new one must be started. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Hands one batch over and calls `onReply` exactly once. MUST NOT be called while another batch is under way. */
  commit(statements: readonly Statement[], onReply: (reply: 'committed' | WriterFailure) => void): void {
    this.#onReply = onReply;
    if (!this.#isAlive) this.#settle({ code: 'writer-ended' });
    else this.#post(statements);
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#isAlive) this.#channel.send('close');
    await this.#ended;
  }

  #post(statements: readonly Statement[]): void {
    const bytes = this.#encoder.maxBytes(statements);
    if (bytes <= this.#channel.statements.length) {
      this.#encoder.encode(statements, this.#channel.statements);
      this.#channel.send('shared');
      return;
    }
    // A batch with large payloads gets memory of its own, which is freed with it.
    const posted = new SharedArrayBuffer(bytes);
    this.#encoder.encode(statements, Buffer.from(posted));
    this.#worker.postMessage(posted);
    this.#channel.send('posted');
  }

  #settle(reply: 'committed' | WriterFailure): void {
    const onReply = this.#onReply;
    this.#onReply = undefined;
    onReply?.(reply);
  }

  #die(): void {
    this.#isAlive = false;
    this.#settle({ code: 'writer-ended' });
  }
}
