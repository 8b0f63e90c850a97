import { hash, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Database, Migration } from '../storage/database.ts';

/** A stored API key. It contains the SHA-256 of the secret, never the secret. */
export interface ApiKeyRecord {
  readonly id: string;
  /** Name of the agent that it authenticates. */
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

/** Reads the keys of a data directory without holding its lock. */
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

/** All keys of a data directory. Held in memory, so that a call reads no disk. A change is durable before it returns. */
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

  /** Returns the key with this id; undefined if there is none. */
  get(id: string): ApiKeyRecord | undefined {
    return this.#keys.get(id);
  }

  /** Returns every key, revoked and expired ones too, oldest first. */
  list(): readonly ApiKeyRecord[] {
    return [...this.#keys.values()];
  }

  /** Creates a key for an agent. The returned text is the only copy: the secret is not stored. */
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
   * Revokes a key, effective at once: in memory first, so that a failing disk cannot keep it valid. A revoked key keeps
   * its time of revocation.
   * @returns undefined if there is no such key.
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

/** Parts of `sen_<id>_<secret>`. The id is public, the secret has 256 bits. */
export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

const KEY_FORMAT = /^sen_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** Parses a presented key. Returns undefined if it does not have the format of a key. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  // The format has a fixed length: a long header costs no more than this check.
  if (text.length !== 64) return undefined;
  const match = KEY_FORMAT.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : undefined;
}

/** Creates a key. Its text is shown once and never stored. */
export function createApiKey(ids: Ids): { readonly id: string; readonly key: string; readonly secretHash: Uint8Array } {
  const id = Buffer.from(ids.randomBytes(8)).toString('hex');
  const secret = Buffer.from(ids.randomBytes(32)).toString('base64url');
  return { id, key: `sen_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** Hashes the secret of a key with SHA-256. 256 random bits need no slow hash, which would only help a flood of requests. */
export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

/** Compares in constant time. Returns false if the lengths differ. */
export function hashesMatch(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
