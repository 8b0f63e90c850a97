import { type Database, type DatabaseReader, StorageError } from '../storage/database.ts';
import { EntryError } from './stored-entry.ts';

const KEY = 'ledger/recovery-mark';
const SET = `INSERT INTO recovery_mark (id, call) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET call = excluded.call`;
const READ = 'SELECT call FROM recovery_mark';

/**
 * The condition on an entry of a call that it may be unsettled. What came before the last `broker.started` was settled when
 * that was written: recovery comes first.
 */
export function mayBeUnsettled(entry: string): string {
  return `${entry}.call >= coalesce((${READ}), '') AND ${entry}.seq > coalesce(
    (SELECT max(seq) FROM entry WHERE call IS NULL AND kind = 'broker.started'), 0)`;
}

/**
 * The id before which every call has its ending in the book, so that a start after a crash need not read what was settled
 * long ago. Ids grow with time (UUIDv7); a call that is admitted late, or after the clock was set back, takes the mark
 * back in the same transaction as its intent, or in one before it.
 */
export class RecoveryCheckpoint {
  readonly #database: Pick<Database, 'put'>;
  /** Calls whose intent may be durable and whose ending is not. */
  readonly #open = new Set<string>();
  #written: string;
  #newest = '';
  /** The first call of which nobody knows whether its intent was written: it is open for as long as this process lives. */
  #unknown: string | undefined;

  constructor(database: Pick<Database, 'put'> & Pick<DatabaseReader, 'read'>) {
    this.#database = database;
    this.#written = database.read<{ readonly call: string }>(READ)[0]?.call ?? '';
  }

  /** MUST be called before the intent of a call is handed over. */
  callOpened(callId: string): void {
    this.#open.add(callId);
    if (callId > this.#newest) this.#newest = callId;
    if (callId < this.#written) this.#write(callId);
  }

  /** The ending of a call is durable, or that of the leg that went on with it will tell. */
  callSettled(callId: string): void {
    this.#open.delete(callId);
  }

  /** The intent of a call could not be written, as far as anybody knows. */
  writeFailed(callId: string, error: unknown): void {
    this.#open.delete(callId);
    const isUnwritten = error instanceof EntryError || (error instanceof StorageError && error.kind === 'queue-full');
    if (!isUnwritten && (this.#unknown === undefined || callId < this.#unknown)) this.#unknown = callId;
  }

  /** Writes the mark where it has moved; to be called once in a while, and before the database is closed. */
  move(): void {
    let checkpoint = this.#unknown ?? this.#newest;
    for (const callId of this.#open) if (callId < checkpoint) checkpoint = callId;
    if (checkpoint > this.#written) this.#write(checkpoint);
  }

  #write(checkpoint: string): void {
    this.#written = checkpoint;
    this.#database.put(KEY, { sql: SET, params: [checkpoint] });
  }
}
