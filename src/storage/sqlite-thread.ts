import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Statement } from './database.ts';
import type { WriterAnswer, WriterFailure, WriterStart } from './sqlite-writer.ts';
import { StatementEncoder } from './statement-bytes.ts';
import { WriterMemory } from './writer-memory.ts';

/** Starts the built file, or the source through a loader, which a thread has to register for itself. */
function startWorker(start: WriterStart): Worker {
  const options = { workerData: start, execArgv: [], name: 'sqlite-writer' };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sqlite-writer.js', import.meta.url), options);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const loader = JSON.stringify(new URL('./dist/esm/api/index.mjs', tsx).href);
  const source = JSON.stringify(new URL('./sqlite-writer.ts', import.meta.url).href);
  const script = `import(${loader}).then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(script, { ...options, eval: true });
}

/** The writer thread as the main thread sees it: one batch at a time, one answer to each. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #memory: WriterMemory;
  readonly #encoder = new StatementEncoder();
  readonly #ended: Promise<void>;
  #answer: ((answer: 'committed' | WriterFailure) => void) | undefined;
  #isAlive = true;

  private constructor(worker: Worker, memory: WriterMemory, ended: Promise<void>) {
    this.#worker = worker;
    this.#memory = memory;
    this.#ended = ended;
    worker.on('message', (answer: WriterAnswer) => {
      if (answer !== 'ready') this.#settle(answer);
    });
  }

  /** Starts the thread and resolves when it holds the file. Rejects with the driver's error when it cannot. */
  static async start(path: string): Promise<SqliteThread> {
    const memory = new WriterMemory();
    const worker = startWorker({ path, shared: memory.shared });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the writer thread ended before it was ready')));
    });
    const thread = new SqliteThread(worker, memory, ended);
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
    else this.#hand(statements);
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#isAlive) this.#memory.order('close');
    await this.#ended;
  }

  #hand(statements: readonly Statement[]): void {
    const bytes = this.#encoder.bound(statements);
    if (bytes <= this.#memory.standing.length) {
      this.#encoder.encode(statements, this.#memory.standing);
      this.#memory.order('standing');
      return;
    }
    // A batch with large payloads in it gets memory of its own, which is given back with it.
    const posted = new SharedArrayBuffer(bytes);
    this.#encoder.encode(statements, Buffer.from(posted));
    this.#worker.postMessage(posted);
    this.#memory.order('posted');
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
