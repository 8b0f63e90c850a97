import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Statement } from './database.ts';
import type { WriterAnswer, WriterFailure, WriterOrder } from './sqlite-writer.ts';
import { StatementEncoder } from './statement-batch.ts';

/** Starts the built file, or the source through a loader, which a thread has to register for itself. */
function startWorker(path: string): Worker {
  const options = { workerData: path, execArgv: [], name: 'sqlite-writer' };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sqlite-writer.js', import.meta.url), options);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const loader = JSON.stringify(new URL('./dist/esm/api/index.mjs', tsx).href);
  const source = JSON.stringify(new URL('./sqlite-writer.ts', import.meta.url).href);
  const start = `import(${loader}).then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(start, { ...options, eval: true });
}

/** The writer thread as the main thread sees it: one batch at a time, one answer to each. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #encoder = new StatementEncoder();
  readonly #ended: Promise<void>;
  #answer: ((answer: 'committed' | WriterFailure) => void) | undefined;
  #isAlive = true;

  private constructor(worker: Worker, ended: Promise<void>) {
    this.#worker = worker;
    this.#ended = ended;
    worker.on('message', (answer: WriterAnswer) => {
      if (answer !== 'ready') this.#settle(answer);
    });
  }

  /** Starts the thread and resolves when it holds the file. Rejects with the driver's error when it cannot. */
  static async start(path: string): Promise<SqliteThread> {
    const worker = startWorker(path);
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the writer thread ended before it was ready')));
    });
    const thread = new SqliteThread(worker, ended);
    // A thread that dies answers what it was given: nobody waits for ever.
    worker.on('error', () => thread.#die());
    worker.on('exit', () => thread.#die());
    return thread;
  }

  /** False once the thread has died; a new one must be started. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Hands one batch over; `onAnswer` is called exactly once. MUST NOT be called while another batch is under way. */
  commit(statements: readonly Statement[], onAnswer: (answer: 'committed' | WriterFailure) => void): void {
    this.#answer = onAnswer;
    if (!this.#isAlive) this.#settle({ code: 'writer-ended' });
    else this.#post(this.#encoder.encode(statements));
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#isAlive) this.#post('close');
    await this.#ended;
  }

  #post(order: WriterOrder): void {
    // The bytes are the encoder's own copy: handing them over copies them no second time.
    if (order === 'close') this.#worker.postMessage(order);
    else this.#worker.postMessage(order, order.blobs.length > 0 ? [order.blobs.buffer] : []);
  }

  #settle(answer: 'committed' | WriterFailure): void {
    const settle = this.#answer;
    this.#answer = undefined;
    settle?.(answer);
  }

  #die(): void {
    this.#isAlive = false;
    this.#settle({ code: 'writer-ended' });
  }
}
