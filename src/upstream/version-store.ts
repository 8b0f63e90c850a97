import type { Database, Migration } from '../storage/database.ts';
import type { ServerVersion, VersionStore } from './protocol/versions.ts';

/** Table of the negotiated era of each server. */
export const versionMigrations: readonly Migration[] = [
  {
    name: 'upstream-001-era',
    sql: `CREATE TABLE upstream_era (
      server TEXT PRIMARY KEY, era TEXT NOT NULL CHECK (era IN ('legacy', 'modern')), protocol_version TEXT NOT NULL,
      found_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  },
];

const UPSERT = `INSERT INTO upstream_era (server, era, protocol_version, found_at_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT (server) DO UPDATE SET era = excluded.era, protocol_version = excluded.protocol_version,
  found_at_ms = excluded.found_at_ms`;
const LOAD =
  'SELECT server, era, protocol_version AS protocolVersion, found_at_ms AS atMs FROM upstream_era ORDER BY server';

/** Opens the stored eras, so that a server does not negotiate again at every start of the broker. */
export function versionStore(database: Database): VersionStore {
  const records = new Map(
    database
      .read<ServerVersion & { readonly server: string }>(LOAD)
      .map(({ server, era, protocolVersion, atMs }) => [server, { era, protocolVersion, atMs }] as const),
  );
  return {
    get: (server) => records.get(server),
    set: (server, record) => {
      records.set(server, record);
      const { era, protocolVersion, atMs } = record;
      database.put(`era ${server}`, { sql: UPSERT, params: [server, era, protocolVersion, atMs] });
    },
  };
}
