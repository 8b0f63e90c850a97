import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildCatalog } from '../../../src/registry/catalog.ts';
import { loadRegistry } from '../../../src/registry/load.ts';
import type { NewPin } from '../../../src/registry/pins/pin.ts';
import {
  deleteStoredPins,
  loadStoredPins,
  REGISTRY_MIGRATIONS,
  storePins,
} from '../../../src/registry/pins/stored-pins.ts';
import type { Database } from '../../../src/storage/database.ts';
import { openSqlite } from '../../../src/storage/sqlite.ts';
import { agreedPins, listed, tool } from '../../fixtures/catalog-parts.ts';

let dir: string;
let database: Database;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pins-'));
  database = await openSqlite({ path: join(dir, 'data.db'), migrations: REGISTRY_MIGRATIONS });
});
afterEach(async () => {
  await database.close();
  rmSync(dir, { recursive: true });
});

function newPin(name: string, description = `does ${name}`): NewPin {
  const definition = tool(name, { description });
  const pin = agreedPins('s', definition).get('s')?.get(name);
  if (pin?.kind !== 'agreed') throw new TypeError('the fixture is agreed to');
  return { server: 's', tool: name, digest: pin.digest, definition };
}

test('first-seen pins are equal after they were stored', async () => {
  await storePins(database, [newPin('read'), newPin('write')], 1_000);
  expect(loadStoredPins(database)).toEqual(agreedPins('s', tool('read'), tool('write')));
});

test('an existing pin is never replaced by a later discovery', async () => {
  await storePins(database, [newPin('read')], 1_000);
  await storePins(database, [newPin('read', 'changed')], 2_000);
  expect(loadStoredPins(database)).toEqual(agreedPins('s', tool('read')));
});

test('nothing is written without new pins', async () => {
  await storePins(database, [], 1_000);
  expect(loadStoredPins(database).size).toBe(0);
});

test.each([
  [
    'its definition',
    `UPDATE registry_pins SET definition = replace(definition, 'does read', 'does harm') WHERE tool = 'read'`,
  ],
  ['its digest', `UPDATE registry_pins SET digest = 'sha256:00' WHERE tool = 'read'`],
  ['its text to no JSON', `UPDATE registry_pins SET definition = '{' WHERE tool = 'read'`],
])('a row with a changed %s blocks its tool, and no other', async (_what, sql) => {
  await storePins(database, [newPin('read'), newPin('write')], 1_000);
  await database.write([{ sql, params: [] }]);
  const catalog = buildCatalog({
    registry: loadRegistry({ 'servers/s.yaml': 'name: s\ntransport: { type: stdio, command: x }\npin: auto\n' }),
    lock: new Map(),
    pins: loadStoredPins(database),
    discovered: listed('s', tool('read'), tool('write')),
    admit: () => ({ admitted: true }),
  });
  expect(catalog.targets.map(({ id }) => id)).toEqual(['tool:s/write']);
  expect(catalog.drifts.map(({ status }) => status)).toEqual(['pin-corrupt']);
  expect(catalog.newPins).toEqual([]);
});

test('pins are deleted by tool and by server', async () => {
  await storePins(database, [newPin('read'), newPin('write'), newPin('move')], 1_000);
  await deleteStoredPins(database, 's', 'read');
  expect([...(loadStoredPins(database).get('s')?.keys() ?? [])]).toEqual(['move', 'write']);
  await deleteStoredPins(database, 's');
  expect(loadStoredPins(database).size).toBe(0);
});
