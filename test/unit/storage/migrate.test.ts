import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Migration } from '../../../src/storage/database.ts';
import { openSqlite } from '../../../src/storage/sqlite.ts';
import { openSqliteForReading } from '../../../src/storage/sqlite-file.ts';
import { temporaryDirectory } from '../../fixtures/ledger.ts';

const root = temporaryDirectory();
afterAll(() => root.remove());

const first: Migration = { name: 'test-001', sql: 'CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT' };
const second: Migration = { name: 'test-002', sql: 'CREATE TABLE two (id INTEGER); INSERT INTO two VALUES (7);' };
const broken: Migration = { name: 'test-003', sql: 'CREATE TABLE three (id INTEGER); INSERT INTO nowhere VALUES (1);' };

async function open(path: string, migrations: readonly Migration[]): Promise<readonly unknown[]> {
  const database = await openSqlite({ path, migrations });
  const tables = database.read(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`);
  await database.close();
  return tables.map((row) => (row as { name: string }).name);
}

test('migrations are applied in order, once', async () => {
  const path = join(root.path, 'once.db');
  expect(await open(path, [first, second])).toEqual(['one', 'schema_migration', 'two']);
  expect(await open(path, [first, second])).toEqual(['one', 'schema_migration', 'two']);
});

test('a later version applies the migrations that the file lacks', async () => {
  const path = join(root.path, 'later.db');
  await open(path, [first]);
  expect(await open(path, [first, second])).toEqual(['one', 'schema_migration', 'two']);
});

test('a failed migration leaves the file unchanged, without the other migrations of the same start', async () => {
  const path = join(root.path, 'broken.db');
  await open(path, [first]);
  await expect(open(path, [first, second, broken])).rejects.toThrow();
  expect(await open(path, [first])).toEqual(['one', 'schema_migration']);
});

test('a file of a newer version is refused with every unknown migration', async () => {
  const path = join(root.path, 'newer.db');
  await open(path, [first, second]);
  await expect(open(path, [])).rejects.toMatchObject({
    problems: [
      { code: 'storage-schema-unknown', at: path, message: expect.stringContaining('`test-001`') },
      { code: 'storage-schema-unknown', at: path, message: expect.stringContaining('`test-002`') },
    ],
  });
});

test('a reader refuses a file of a newer version too', async () => {
  const path = join(root.path, 'newer-read.db');
  await open(path, [first, second]);
  expect(() => openSqliteForReading(path, [first])).toThrow(
    expect.objectContaining({ code: 'storage-schema-unknown' }),
  );
});

test('a reader refuses a file of an older version, because it cannot migrate it', async () => {
  const path = join(root.path, 'older.db');
  await open(path, [first]);
  expect(() => openSqliteForReading(path, [first, second])).toThrow(
    expect.objectContaining({ code: 'storage-schema-outdated', at: path }),
  );
});

test('a file that is not a database is refused as damaged', async () => {
  const path = join(root.path, 'text.db');
  writeFileSync(path, 'this is a text and no database, and it is long enough to be looked at. '.repeat(20));
  await expect(open(path, [first])).rejects.toMatchObject({ code: 'storage-file-damaged', at: path });
});

test('a database in a missing directory is refused as unusable', async () => {
  const path = join(root.path, 'nowhere', 'x.db');
  await expect(open(path, [first])).rejects.toMatchObject({ code: 'storage-file-unusable', at: path });
});

test('a reader gets an error if there is no ledger yet', () => {
  const path = join(root.path, 'none.db');
  expect(() => openSqliteForReading(path, [first])).toThrow(
    expect.objectContaining({ code: 'storage-file-missing', at: path }),
  );
});
