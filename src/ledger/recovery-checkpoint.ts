import { type Database, type DatabaseReader, StorageError } from '../storage/database.ts';
import { EntryError } from './stored-entry.ts';

const KEY = 'ledger/recovery-mark';
const SET = `INSERT INTO recovery_mark (id, call) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET call = excluded.call`;
const READ = 'SELECT call FROM recovery_mark';

/**
 * SQL condition: the call of an entry may be unsettled. Calls before the last `broker.started` are settled, because
 * recovery runs before that entry is written.
 */
export function mayBeUnsettled(entry: string): string {
  return `${entry}.call >= coalesce((${READ}), '') AND ${entry}.seq > coalesce(
    (SELECT max(seq) FROM entry WHERE call IS NULL AND kind = 'broker.started'), 0)`;
}

/**
 * The id below which every call has an outcome in the ledger, so that a start after a crash does not read older calls.
 * Ids grow with time (UUIDv7). A call with a smaller id, admitted late or after the clock was set back, moves the
 * checkpoint back in the transaction of its intent or in an earlier one.
 */
export class RecoveryCheckpoint {
  readonly #database: Pick<Database, 'put'>;
  /** Calls whose intent may be durable and whose outcome is not. */
  readonly #open = new Set<string>();
  #written: string;
  #newest = '';
  /** The smallest call id for which it is unknown whether the intent was written. It stays open until the process ends. */
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

  /** The outcome of a call is durable, or the outcome of its next round will settle it. */
  callSettled(callId: string): void {
    this.#open.delete(callId);
  }

  /** The write of an intent failed. Unless the error proves that nothing was written, the call stays open. */
  writeFailed(callId: string, error: unknown): void {
    this.#open.delete(callId);
    const isUnwritten = error instanceof EntryError || (error instanceof StorageError && error.kind === 'queue-full');
    if (!isUnwritten && (this.#unknown === undefined || callId < this.#unknown)) this.#unknown = callId;
  }

  /** Writes the checkpoint if it has moved. Call it from time to time, and before the database is closed. */
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
