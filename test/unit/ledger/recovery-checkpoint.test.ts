import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../../src/ledger/recover.ts';
import { RecoveryCheckpoint } from '../../../src/ledger/recovery-checkpoint.ts';
import { EntryError } from '../../../src/ledger/stored-entry.ts';
import { StorageError } from '../../../src/storage/database.ts';
import { admitted, closed, ManualClock, openTestLedger, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
let mark: RecoveryCheckpoint;
beforeEach(async () => {
  store = await openTestLedger();
  mark = new RecoveryCheckpoint(store.database);
});
afterEach(() => store.close());

/** The stored checkpoint, as the next start reads it. */
async function written(): Promise<string | undefined> {
  await store.database.write([]);
  return store.database.read<{ readonly call: string }>('SELECT call FROM recovery_mark')[0]?.call;
}

test('the checkpoint is the oldest open call, or the newest call if none is open', async () => {
  for (const id of ['c1', 'c2', 'c3']) mark.callOpened(id);
  mark.move();
  expect(await written()).toBe('c1');
  mark.callSettled('c1');
  mark.callSettled('c3');
  mark.move();
  expect(await written()).toBe('c2');
  mark.callSettled('c2');
  mark.move();
  expect(await written()).toBe('c3');
});

test('a call that is admitted late moves the checkpoint back before its intent is written', async () => {
  mark.callOpened('c5');
  mark.callSettled('c5');
  mark.move();
  expect(await written()).toBe('c5');
  mark.callOpened('c3');
  expect(await written()).toBe('c3');
});

test('a call whose intent may have been written holds the checkpoint until the process ends', async () => {
  mark.callOpened('c1');
  mark.writeFailed('c1', new StorageError('write-failed', 'the commit failed with SQLITE_FULL'));
  mark.callOpened('c2');
  mark.callSettled('c2');
  mark.move();
  expect(await written()).toBe('c1');
});

test('a call whose intent was certainly not written does not hold the checkpoint', async () => {
  for (const error of [new StorageError('queue-full', 'full'), new EntryError('too large')]) {
    mark.callOpened('c1');
    mark.writeFailed('c1', error);
  }
  mark.callOpened('c2');
  mark.callSettled('c2');
  mark.move();
  expect(await written()).toBe('c2');
});

test('the checkpoint of the previous process holds until a call moves it', async () => {
  mark.callOpened('c5');
  mark.callSettled('c5');
  mark.move();
  await written();
  const next = new RecoveryCheckpoint(store.database);
  next.move();
  expect(await written()).toBe('c5');
  // A clock that was set back makes smaller ids.
  next.callOpened('c2');
  expect(await written()).toBe('c2');
});

test('the next start does not read calls before the checkpoint', async () => {
  await store.ledger.appendAll([admitted('c1'), admitted('c2'), closed('c2', { outcome: 'input-required' })]);
  mark.callOpened('c3');
  mark.move();
  await store.ledger.append(admitted('c3'));
  const found = await recover(store.database, store.ledger, { clock: new ManualClock() });
  expect(found.map(({ callId }) => callId)).toEqual(['c3']);
});

type Act = { readonly call: number; readonly do: 'open' | 'close' | 'move' };
const acts = fc.array(
  fc.record<Act>({ call: fc.integer({ min: 0, max: 9 }), do: fc.constantFrom('open', 'close', 'move') }),
  { maxLength: 40 },
);

test('no open call is missed, whenever the broker is killed', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (steps) => {
      const killed = await openTestLedger();
      try {
        const own = new RecoveryCheckpoint(killed.database);
        const open = new Set<string>();
        const seen = new Set<string>();
        for (const { call, do: act } of steps) {
          const id = `c${call}`;
          if (act === 'move') own.move();
          else if (act === 'open' && !seen.has(id)) {
            own.callOpened(id);
            await killed.ledger.append(admitted(id));
            open.add(id);
            seen.add(id);
          } else if (act === 'close' && open.has(id)) {
            await killed.ledger.append(closed(id));
            own.callSettled(id);
            open.delete(id);
          }
        }
        const found = await recover(killed.database, killed.ledger, { clock: new ManualClock() });
        expect(found.map(({ callId }) => callId).sort()).toEqual([...open].sort());
      } finally {
        await killed.close();
      }
    }),
    { numRuns: 25 },
  );
});
