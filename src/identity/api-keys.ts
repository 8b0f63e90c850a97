import { hash, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Database, Migration } from '../storage/database.ts';

/** An API key as it is kept: never the secret, only its SHA-256. */
export interface ApiKeyRecord {
  readonly id: string;
  /** Name of the agent it proves. */
  readonly agent: string;
  readonly secretHash: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
  readonly revokedAtMs?: number;
}

export const migrations: readonly Migration[] = [
  {
    name: 'identity-001-api-key',
    sql: `CREATE TABLE api_key (
      id TEXT PRIMARY KEY, agent TEXT NOT NULL, secret_hash BLOB NOT NULL,
      created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, revoked_at_ms INTEGER
    ) WITHOUT ROWID, STRICT`,
  },
];

interface KeyRow {
  readonly id: string;
  readonly agent: string;
  readonly secret_hash: Uint8Array;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
}

const KEY_COLUMNS = 'id, agent, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms';

/** The keys as a data directory holds them, for a reader that does not own it. */
export function readApiKeys(database: Pick<Database, 'read'>): readonly ApiKeyRecord[] {
  return database.read<KeyRow>(`SELECT ${KEY_COLUMNS} FROM api_key ORDER BY created_at_ms, id`).map((row) => ({
    id: row.id,
    agent: row.agent,
    secretHash: new Uint8Array(row.secret_hash),
    createdAtMs: row.created_at_ms,
    ...(row.expires_at_ms === null ? {} : { expiresAtMs: row.expires_at_ms }),
    ...(row.revoked_at_ms === null ? {} : { revokedAtMs: row.revoked_at_ms }),
  }));
}

/** All keys of a data directory, held in memory so that a call reads no disk, written through before a change is told. */
export class KeyStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #keys = new Map<string, ApiKeyRecord>();

  constructor(database: Database, { clock, ids }: { readonly clock: Clock; readonly ids: Ids }) {
    this.#database = database;
    this.#clock = clock;
    this.#ids = ids;
    for (const record of readApiKeys(database)) this.#keys.set(record.id, record);
  }

  /** The key of that id; undefined when there is none. */
  get(id: string): ApiKeyRecord | undefined {
    return this.#keys.get(id);
  }

  /** Every key ever made, oldest first. */
  list(): readonly ApiKeyRecord[] {
    return [...this.#keys.values()];
  }

  /** Makes a key for an agent. The returned text is the only copy there will ever be. */
  async create(agent: string, lifetimeMs?: number): Promise<{ readonly record: ApiKeyRecord; readonly key: string }> {
    const { id, key, secretHash } = createApiKey(this.#ids);
    const createdAtMs = this.#clock.wallMs();
    const record: ApiKeyRecord = {
      id,
      agent,
      secretHash,
      createdAtMs,
      ...(lifetimeMs === undefined ? {} : { expiresAtMs: createdAtMs + lifetimeMs }),
    };
    await this.#database.write([
      {
        sql: `INSERT INTO api_key (${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, NULL)`,
        params: [id, agent, secretHash, createdAtMs, record.expiresAtMs ?? null],
      },
    ]);
    this.#keys.set(id, record);
    return { record, key };
  }

  /**
   * Revokes a key: in force at once, in memory first, so that a disk that fails cannot keep it alive.
   * @returns undefined when there is no such key; a key revoked before keeps its first time.
   */
  async revoke(id: string): Promise<ApiKeyRecord | undefined> {
    const record = this.#keys.get(id);
    if (!record || record.revokedAtMs !== undefined) return record;
    const revoked: ApiKeyRecord = { ...record, revokedAtMs: this.#clock.wallMs() };
    this.#keys.set(id, revoked);
    await this.#database.write([
      { sql: 'UPDATE api_key SET revoked_at_ms = ? WHERE id = ?', params: [revoked.revokedAtMs ?? null, id] },
    ]);
    return revoked;
  }
}

/** The parts of `sen_<id>_<secret>`: the id is public, the secret has 256 bits and is kept as SHA-256 only. */
export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

const KEY_FORMAT = /^sen_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** The parts of a presented key; undefined when it does not have the form of one. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  // The form is of fixed length, so that a long header costs no more than its length check.
  if (text.length !== 64) return undefined;
  const match = KEY_FORMAT.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : undefined;
}

/** A new key. The whole text is shown to its maker once and never kept. */
export function createApiKey(ids: Ids): { readonly id: string; readonly key: string; readonly secretHash: Uint8Array } {
  const id = Buffer.from(ids.randomBytes(8)).toString('hex');
  const secret = Buffer.from(ids.randomBytes(32)).toString('base64url');
  return { id, key: `sen_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** SHA-256 of a key's secret: enough for 256 random bits, where a slow hash would only serve an attacker of the broker. */
export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

/** Compares in constant time; false when the lengths differ. */
export function hashesMatch(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
