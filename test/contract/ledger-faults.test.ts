import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdirSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { Ledger, migrations } from '../../src/ledger/ledger.ts';
import { listEntries } from '../../src/ledger/list-entries.ts';
import { recover } from '../../src/ledger/recover.ts';
import { databasePathOf, openDataDirectory } from '../../src/storage/data-directory.ts';
import type { DatabaseReader } from '../../src/storage/database.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { openSqliteForReading } from '../../src/storage/sqlite-file.ts';
import { admitted, CountingIds, ManualClock, temporaryDirectory } from '../fixtures/ledger.ts';
import { scaled } from '../fixtures/scale.ts';

const root = temporaryDirectory();
afterAll(() => root.remove());

/** Times at which the recording process is killed, each later than the one before. */
const ROUNDS = scaled({ small: 8, full: 20 });
const SCRIPT = resolve(import.meta.dirname, '../fixtures/programs/recording-process.ts');
const NODE = ['--import', 'tsx', SCRIPT];

interface Recording {
  readonly child: ChildProcess;
  readonly acknowledged: string[];
  /** Its output on stderr. */
  complaint(): string;
  /** Resolves after this number of lines on stdout. */
  reached(lines: number): Promise<void>;
}

function startRecording(command: string, args: readonly string[]): Recording {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const acknowledged: string[] = [];
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const waiting: { readonly lines: number; readonly resolve: () => void }[] = [];
  lines.on('line', (line) => {
    acknowledged.push(line);
    for (const waiter of waiting) if (acknowledged.length >= waiter.lines) waiter.resolve();
  });
  return {
    ...{ child, acknowledged, complaint: () => complaint },
    reached: (count) => new Promise((done) => waiting.push({ lines: count, resolve: done })),
  };
}

async function killed({ child }: Recording): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** The entries of the file, in the format of the recording process. */
function recorded(database: DatabaseReader): ReadonlySet<string> {
  const rows = database.read<{ kind: string; call: string }>('SELECT kind, call FROM entry');
  return new Set(rows.map(({ kind, call }) => `${kind === 'call.admitted' ? 'intent' : 'outcome'} ${call}`));
}

test('no acknowledged entry is lost when the process is killed again and again', async () => {
  const directory = join(root.path, 'killed');
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const recording = startRecording(process.execPath, [...NODE, directory]);
    await recording.reached(1 + round * 15);
    await killed(recording);
    acknowledged.push(...recording.acknowledged);
  }
  const reader = openSqliteForReading(databasePathOf(directory), migrations);
  const held = recorded(reader);
  reader.close();
  expect(acknowledged.filter((line) => !held.has(line))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * ROUNDS * 5);
}, 120_000);

test('after a kill every intent without an outcome is recorded as in doubt once, however often the ledger is opened', async () => {
  const directory = join(root.path, 'in-doubt');
  const recording = startRecording(process.execPath, [...NODE, directory]);
  await recording.reached(100);
  await killed(recording);
  const database = await openSqlite({ path: databasePathOf(directory), migrations });
  const ledger = new Ledger(database, { ids: new CountingIds() });
  const held = recorded(database);
  const open = [...held]
    .filter((line) => line.startsWith('intent') && !held.has(line.replace('intent', 'outcome')))
    .map((line) => line.slice('intent '.length));
  const first = await recover(database, ledger, { clock: new ManualClock() });
  const second = await recover(database, ledger, { clock: new ManualClock() });
  await database.close();
  expect(first.map(({ callId }) => callId).sort()).toEqual(open.sort());
  expect(second).toEqual([]);
});

test('a second process on the same data directory is refused with the pid of the first, until that one is killed', async () => {
  const directory = join(root.path, 'second');
  const recording = startRecording(process.execPath, [...NODE, directory]);
  await recording.reached(1);
  const pid = recording.child.pid;
  expect(() => openDataDirectory(directory)).toThrow(
    expect.objectContaining({
      code: 'data-directory-in-use',
      message: expect.stringContaining(`process ${pid} holds the data directory`),
    }),
  );
  await killed(recording);
  openDataDirectory(directory).close();
});

test('a write-ahead log that is torn at any page opens as a prefix of the written entries', async () => {
  const directory = join(root.path, 'torn');
  const recording = startRecording(process.execPath, [...NODE, directory]);
  await recording.reached(150);
  await killed(recording);
  const file = databasePathOf(directory);
  const whole = openSqliteForReading(file, migrations);
  const bodies = whole.read<{ body: string }>('SELECT body FROM entry ORDER BY seq').map(({ body }) => body);
  whole.close();
  const copy = join(root.path, 'torn-copy');
  mkdirSync(copy);
  let opened = 0;
  for (let bytes = statSync(`${file}-wal`).size; bytes >= 0; bytes -= 4_096) {
    for (const name of ['copy.db', 'copy.db-wal', 'copy.db-shm']) rmSync(join(copy, name), { force: true });
    copyFileSync(file, join(copy, 'copy.db'));
    copyFileSync(`${file}-wal`, join(copy, 'copy.db-wal'));
    truncateSync(join(copy, 'copy.db-wal'), bytes);
    opened += 1;
    const torn = prefixOf(join(copy, 'copy.db'));
    if (torn === 'no schema yet') continue;
    expect(torn).toEqual(bodies.slice(0, torn.length));
  }
  expect(opened).toBeGreaterThan(20);
});

function prefixOf(path: string): readonly string[] | 'no schema yet' {
  try {
    const reader = openSqliteForReading(path, migrations);
    const rows = reader.read<{ body: string }>('SELECT body FROM entry ORDER BY seq');
    reader.close();
    return rows.map(({ body }) => body);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'storage-schema-outdated') return 'no schema yet';
    throw error;
  }
}

const small = join(root.path, 'small-disk');
const cannotMount = ((): string | false => {
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small]);
  if (mounted.status !== 0) process.stderr.write('skipped: a small disk cannot be mounted here, which needs root\n');
  return mounted.status !== 0 && 'needs root to mount a small disk';
})();
afterAll(() => {
  if (cannotMount === false) execFileSync('umount', [small]);
});

test.skipIf(cannotMount !== false)(
  'a full disk refuses entries, keeps what it has and takes entries again when there is room',
  async () => {
    const database = await openSqlite({ path: join(small, 'ledger.db'), migrations });
    const ledger = new Ledger(database, { ids: new CountingIds() });
    await ledger.append(admitted('before'));
    fillUp(join(small, 'ballast'));
    const acknowledged: string[] = [];
    let refusals = 0;
    for (let made = 0; refusals < 3; made += 1) {
      const isRecorded = await ledger.append(admitted(`call-${made}`)).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ kind: 'write-failed', driverCode: 'SQLITE_FULL' });
          return false;
        },
      );
      if (isRecorded) acknowledged.push(`call-${made}`);
      else refusals += 1;
    }
    rmSync(join(small, 'ballast'));
    await ledger.append(admitted('after'));
    const held = new Set(database.read<{ call: string }>('SELECT call FROM entry').map(({ call }) => call));
    await database.close();
    expect(['before', ...acknowledged, 'after'].filter((call) => !held.has(call))).toEqual([]);
  },
);

test.skipIf(cannotMount !== false)('a put that failed on a full disk is written when there is room', async () => {
  const database = await openSqlite({ path: join(small, 'states.db'), migrations: states });
  fillUp(join(small, 'ballast'));
  for (;;) {
    database.put('one', { sql: SET_STATE, params: ['last'] });
    const isFull = await database.write([{ sql: GROW, params: [] }]).then(
      () => false,
      () => true,
    );
    if (isFull) break;
    await database.write([{ sql: SET_STATE, params: ['older'] }]).catch(() => {});
  }
  rmSync(join(small, 'ballast'));
  await database.write([]);
  expect(database.read('SELECT text FROM state')).toEqual([{ text: 'last' }]);
  await database.close();
});

const states = [
  {
    name: 'test-001',
    sql: 'CREATE TABLE state (id INTEGER PRIMARY KEY, text TEXT) STRICT; CREATE TABLE filling (data BLOB) STRICT;',
  },
];
const SET_STATE = 'INSERT INTO state VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET text = excluded.text';
const GROW = 'INSERT INTO filling VALUES (zeroblob(20000))';

/** Fills a disk. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch {
    closeSync(file);
  }
}

const cannotTrace = ((): string | false => {
  const traced = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']);
  if (traced.status !== 0) process.stderr.write('skipped: no strace here, which makes a sync of the disk fail\n');
  return traced.status !== 0 && 'needs strace';
})();

test.skipIf(cannotTrace !== false)('a failed sync is never reported as a success', async () => {
  const directory = join(root.path, 'failing-sync');
  const failing = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync'];
  const inject = ['-e', 'inject=fdatasync,fsync:error=EIO:when=40+'];
  const recording = startRecording('strace', [...failing, ...inject, process.execPath, ...NODE, directory]);
  await once(recording.child, 'close');
  expect(recording.complaint()).toContain('SQLITE_IOERR_FSYNC');
  const reader = openSqliteForReading(databasePathOf(directory), migrations);
  const held = recorded(reader);
  expect(recording.acknowledged.filter((line) => !held.has(line))).toEqual([]);
  expect(listEntries(reader, { limit: 10_000 }).every(({ untouched }) => untouched)).toBe(true);
  reader.close();
});
