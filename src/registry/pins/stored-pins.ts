import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { Database, Migration, Statement } from '../../storage/database.ts';
import { type NewPin, type Pin, type Pins, pinOf } from './pin.ts';

/** The table of pins that `pin: auto` made. */
export const REGISTRY_MIGRATIONS: readonly Migration[] = [
  {
    name: 'registry-001-pins',
    sql: `CREATE TABLE registry_pins (
      server TEXT NOT NULL,
      tool TEXT NOT NULL,
      digest TEXT NOT NULL,
      definition TEXT NOT NULL,
      pinned_at_ms INTEGER NOT NULL,
      PRIMARY KEY (server, tool)
    ) STRICT, WITHOUT ROWID`,
  },
];

/** Stores first-seen pins. A tool that has a pin keeps it: new tools are accepted, changed ones never. */
export function storePins(database: Database, pins: readonly NewPin[], atMs: number): Promise<void> {
  if (pins.length === 0) return Promise.resolve();
  return database.write(
    pins.map(({ server, tool, digest, definition }) => ({
      sql: `INSERT INTO registry_pins (server, tool, digest, definition, pinned_at_ms) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (server, tool) DO NOTHING`,
      params: [server, tool, digest, JSON.stringify(definition), atMs],
    })),
  );
}

/** Deletes the first-seen pins of a server, or of one of its tools, so the lock or the next discovery decides. */
export function deleteStoredPins(database: Database, server: string, tool?: string): Promise<void> {
  const statement: Statement =
    tool === undefined
      ? { sql: 'DELETE FROM registry_pins WHERE server = ?', params: [server] }
      : { sql: 'DELETE FROM registry_pins WHERE server = ? AND tool = ?', params: [server, tool] };
  return database.write([statement]);
}

/** Loads the first-seen pins. A row that does not match its own digest is corrupt, which blocks its tool. */
export function loadStoredPins(database: Pick<Database, 'read'>): Pins {
  const rows = database.read<{ server: string; tool: string; digest: string; definition: string }>(
    'SELECT server, tool, digest, definition FROM registry_pins ORDER BY server, tool',
  );
  const pins = new Map<string, Map<string, Pin>>();
  for (const { server, tool, digest, definition } of rows) {
    const tools = pins.get(server) ?? new Map<string, Pin>();
    pins.set(server, tools);
    tools.set(tool, pinOf(tool, digest, parsedOrUndefined(definition)));
  }
  return pins;
}

function parsedOrUndefined(text: string): JsonValue | JsonObject | undefined {
  try {
    // `as`: JSON.parse returns JSON values only.
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
