import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, StorageError } from '../../src/storage/database.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { openSqliteForReading } from '../../src/storage/sqlite-file.ts';
import { temporaryDirectory } from '../fixtures/ledger.ts';

// One suite for the port; a second driver adds another way to open a database.
const migrations = [
  { name: 'test-001', sql: 'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB) STRICT' },
];
const INSERT = 'INSERT INTO item (name, data) VALUES (?, ?)';
const UPSERT = 'INSERT INTO item (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name';
const NAMES = 'SELECT name FROM item ORDER BY id';

const directory = temporaryDirectory();
const defects: StorageError[] = [];
let file = 0;
let path = '';
let database: Database;

beforeEach(async () => {
  file += 1;
  path = join(directory.path, `${file}.db`);
  defects.length = 0;
  database = await openSqlite({ path, migrations, queueLimit: 10, onDefect: (error) => defects.push(error) });
});

afterEach(async () => {
  await database.close();
});

const insert = (name: string) => ({ sql: INSERT, params: [name, null] });
const names = (): readonly string[] => database.read<{ name: string }>(NAMES).map((row) => row.name);

test('the next read sees a write that has resolved', async () => {
  await database.write([insert('a'), insert('b')]);
  expect(names()).toEqual(['a', 'b']);
});

test('another process that only reads sees a write that has resolved', async () => {
  await database.write([insert('a')]);
  const reader = openSqliteForReading(path, migrations);
  expect(reader.read(NAMES)).toEqual([{ name: 'a' }]);
  reader.close();
});

test('a read sees nothing of a write before it resolves', () => {
  const writing = database.write([insert('a')]);
  expect(names()).toEqual([]);
  return writing;
});

test('writes of one turn are written in the order of the calls', async () => {
  await Promise.all([database.write([insert('z')]), database.write([insert('y')]), database.write([insert('x')])]);
  expect(names()).toEqual(['z', 'y', 'x']);
});

test('every kind of value is read as it was written', async () => {
  const data = new Uint8Array([0, 1, 255]);
  await database.write([
    { sql: 'INSERT INTO item (id, name, data) VALUES (?, ?, ?)', params: [2n ** 40n, 'ä\u0000😀', data] },
    { sql: INSERT, params: ['empty', new Uint8Array(0)] },
  ]);
  expect(database.read('SELECT id, name, data FROM item')).toEqual([
    { id: 2 ** 40, name: 'ä\u0000😀', data: Buffer.from([0, 1, 255]) },
    { id: 2 ** 40 + 1, name: 'empty', data: Buffer.alloc(0) },
  ]);
});

test('of the statements of a write all or none are committed', async () => {
  await expect(database.write([insert('a'), insert('a')])).rejects.toMatchObject({ kind: 'write-failed' });
  expect(names()).toEqual([]);
});

test('a write that the database refuses does not fail the others of its turn', async () => {
  const results = await Promise.allSettled([
    database.write([insert('a')]),
    database.write([insert('a')]),
    database.write([{ sql: 'INSERT INTO nowhere VALUES (1)', params: [] }]),
    database.write([insert('b')]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(names()).toEqual(['a', 'b']);
});

test('the message of a refused write has none of its parameters', async () => {
  await database.write([insert('secret')]);
  const refused = database.write([insert('secret')]);
  await expect(refused).rejects.toThrow('the database refused `INSERT INTO item (name, data) VALUES (?, ?)` with');
  await expect(refused).rejects.not.toThrow('secret');
});

test('of several puts with one key only the last is written', async () => {
  database.put('one', { sql: UPSERT, params: [1, 'first'] });
  database.put('one', { sql: UPSERT, params: [1, 'second'] });
  await database.write([]);
  expect(names()).toEqual(['second']);
});

test('a put is written in the transaction of the write that follows it', async () => {
  database.put('one', { sql: UPSERT, params: [1, 'state'] });
  await database.write([{ sql: `INSERT INTO item (name) SELECT name || '!' FROM item`, params: [] }]);
  expect(names()).toEqual(['state', 'state!']);
});

test('a put that the database refuses is reported and blocks nothing', async () => {
  database.put('wrong', { sql: 'INSERT INTO nowhere VALUES (1)', params: [] });
  await database.write([insert('a')]);
  expect(names()).toEqual(['a']);
  expect(defects.map(({ kind }) => kind)).toEqual(['write-failed']);
});

test('a full queue refuses a write at once and writes nothing of it', async () => {
  const taken = database.write(Array.from({ length: 10 }, (_, index) => insert(`a${index}`)));
  await expect(database.write([insert('too much')])).rejects.toMatchObject({ kind: 'queue-full' });
  await taken;
  expect(names()).toHaveLength(10);
});

test('a queue that was full accepts writes again when it is empty', async () => {
  await database.write(Array.from({ length: 10 }, (_, index) => insert(`a${index}`)));
  await database.write([insert('again')]);
  expect(names()).toHaveLength(11);
});

test('pending counts the statements that are not yet durable', async () => {
  const writing = database.write([insert('a'), insert('b')]);
  database.put('one', { sql: UPSERT, params: [9, 'c'] });
  expect(database.pending()).toBe(3);
  await writing;
  expect(database.pending()).toBe(0);
});

test('close writes pending statements', async () => {
  const writing = database.write([insert('a')]);
  database.put('one', { sql: UPSERT, params: [9, 'b'] });
  await database.close();
  await writing;
  const reader = openSqliteForReading(path, migrations);
  expect(reader.read(NAMES)).toEqual([{ name: 'b' }, { name: 'a' }]);
  reader.close();
});

test('after close every operation is refused as closed', async () => {
  await database.close();
  const isClosed = { kind: 'closed' };
  await expect(database.write([insert('a')])).rejects.toMatchObject(isClosed);
  expect(() => database.put('one', insert('a'))).toThrow(StorageError);
  expect(() => database.read(NAMES)).toThrow(expect.objectContaining(isClosed));
});

test('rows can be iterated one by one while other queries run', async () => {
  await database.write([insert('a'), insert('b')]);
  const seen: unknown[] = [];
  for (const row of database.iterate<{ name: string }>(NAMES)) {
    seen.push([row.name, ...database.read('SELECT count(*) AS count FROM item')]);
  }
  expect(seen).toEqual([
    ['a', { count: 2 }],
    ['b', { count: 2 }],
  ]);
});

test('a query cannot write', () => {
  expect(() => database.read(`INSERT INTO item (name) VALUES ('a') RETURNING name`)).toThrow(
    expect.objectContaining({ kind: 'read-failed' }),
  );
});

test('erased bytes are not in any file of the database', async () => {
  await database.write([insert('canary-4711')]);
  await database.write([{ sql: 'DELETE FROM item', params: [] }]);
  await database.close();
  expect(readFileSync(path).includes('canary-4711')).toBe(false);
});
