import type { PayloadRetention } from '../domain/target.ts';
import type { Ids } from '../lib/ids.ts';
import type { JsonValue } from '../lib/json/json.ts';
import { type Database, type Migration, SHA256_OF_BYTES_BEFORE, type Statement } from '../storage/database.ts';
import { type Commitment, commit, commitBytes } from './commitment.ts';
import type { Entry } from './entry.ts';
import { serializeLeaf } from './stored-entry.ts';

/** The schema of the ledger. */
export const migrations: readonly Migration[] = [
  {
    name: 'ledger-001-entry',
    sql: `CREATE TABLE entry (
      seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, call TEXT, at INTEGER NOT NULL, principal TEXT NOT NULL,
      body TEXT NOT NULL, leaf BLOB NOT NULL
    ) STRICT;
    CREATE INDEX entry_of_call ON entry (call) WHERE call IS NOT NULL;
    CREATE INDEX entry_of_house ON entry (kind) WHERE call IS NULL;
    CREATE TABLE payload (seq INTEGER PRIMARY KEY, salt BLOB, bytes TEXT) STRICT;`,
  },
  {
    name: 'ledger-002-policy-archive',
    sql: 'CREATE TABLE policy_archive (revision TEXT PRIMARY KEY, texts TEXT NOT NULL) STRICT, WITHOUT ROWID',
  },
  {
    // The salt stands in the entry's row, so that an entry without a kept payload needs no second row.
    name: 'ledger-003-salt-of-entry',
    sql: 'ALTER TABLE entry ADD COLUMN salt BLOB',
  },
  {
    name: 'ledger-004-recovery-mark',
    sql: 'CREATE TABLE recovery_mark (id INTEGER PRIMARY KEY CHECK (id = 0), call TEXT NOT NULL) STRICT',
  },
];

// The body is sent as the hashed bytes; `substr` removes the leaf prefix, so that the file holds the JSON text.
const INSERT_ENTRY = `INSERT INTO entry (kind, call, at, principal, body, leaf, salt)
  VALUES (?, ?, ?, ?, CAST(substr(?, 2) AS TEXT), ?, ?)`;
// Written right after its entry in the same transaction, so the last row is that entry.
const INSERT_PAYLOAD = 'INSERT INTO payload (seq, bytes) VALUES (last_insert_rowid(), ?)';
const ERASE_SALT = 'UPDATE entry SET salt = NULL WHERE seq = ?';
const ERASE_PAYLOAD = 'UPDATE payload SET salt = NULL, bytes = NULL WHERE seq = ?';

/** A payload that an entry commits to, and its retention. */
export interface PayloadToStore {
  readonly commitment: Commitment;
  readonly retention: PayloadRetention;
  /** Largest payload that is kept, in bytes of UTF-8; of a larger one only the commitment is kept. Default: 262,144. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_PAYLOAD_BYTES = 262_144;

/** The writing side of the ledger. Entries are appended, and never changed or removed. */
export class Ledger {
  readonly #database: Pick<Database, 'write'>;
  readonly #ids: Ids;

  constructor(database: Pick<Database, 'write'>, options: { readonly ids: Ids }) {
    this.#database = database;
    this.#ids = options.ids;
  }

  /** Commits to a payload whose digest goes into an entry. */
  commit(value: JsonValue): Commitment {
    return commit(value, this.#ids);
  }

  /** Commits to a payload that is already JSON text, without canonicalizing it. */
  commitText(text: string): Commitment {
    return commitBytes(text, this.#ids);
  }

  /**
   * Appends one entry. MUST NOT resolve before it is durable. Rejects with StorageError if it could not be made durable
   * and with EntryError if it is not a valid entry; the recorded action must then not happen.
   */
  async append(entry: Entry, payload?: PayloadToStore): Promise<void> {
    await this.#database.write(insertStatements(entry, payload));
  }

  /** Appends several entries in one transaction: all or none. */
  async appendAll(entries: readonly Entry[]): Promise<void> {
    await this.#database.write(entries.flatMap((entry) => insertStatements(entry, undefined)));
  }

  /** Erases a payload and its salt. The entry and its digest stay, and reveal nothing about the payload. */
  async erasePayload(seq: number): Promise<void> {
    await this.#database.write([ERASE_SALT, ERASE_PAYLOAD].map((sql) => ({ sql, params: [seq] })));
  }
}

function insertStatements(entry: Entry, payload: PayloadToStore | undefined): readonly Statement[] {
  const callId = 'callId' in entry ? entry.callId : null;
  const body = { utf8: serializeLeaf(entry) };
  const salt = payload?.commitment.salt ?? null;
  const statement: Statement = {
    sql: INSERT_ENTRY,
    params: [entry.kind, callId, entry.atMs, entry.principal, body, SHA256_OF_BYTES_BEFORE, salt],
  };
  return payload !== undefined && isStored(payload)
    ? [statement, { sql: INSERT_PAYLOAD, params: [payload.commitment.bytes] }]
    : [statement];
}

function isStored({ commitment: { bytes }, retention, maxBytes = DEFAULT_MAX_PAYLOAD_BYTES }: PayloadToStore): boolean {
  return retention === 'keep' && bytes.length <= maxBytes && Buffer.byteLength(bytes) <= maxBytes;
}
