import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../../src/ledger/recover.ts';
import { RecoveryCheckpoint } from '../../../src/ledger/recovery-checkpoint.ts';
import { EntryError } from '../../../src/ledger/stored-entry.ts';
import { StorageError } from '../../../src/storage/database.ts';
import { admitted, type Book, closed, openBook, StandingClock } from '../../fixtures/ledger.ts';

let book: Book;
let mark: RecoveryCheckpoint;
beforeEach(async () => {
  book = await openBook();
  mark = new RecoveryCheckpoint(book.database);
});
afterEach(() => book.close());

/** What the file says, as the next start reads it. */
async function written(): Promise<string | undefined> {
  await book.database.write([]);
  return book.database.read<{ readonly call: string }>('SELECT call FROM recovery_mark')[0]?.call;
}

test('the mark is the oldest call that is open, and the newest of all where none is', async () => {
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

test('a call that is admitted late takes the mark back before its intent is written', async () => {
  mark.callOpened('c5');
  mark.callSettled('c5');
  mark.move();
  expect(await written()).toBe('c5');
  mark.callOpened('c3');
  expect(await written()).toBe('c3');
});

test('a call of which nobody knows whether its intent was written holds the mark for good', async () => {
  mark.callOpened('c1');
  mark.writeFailed('c1', new StorageError('write-failed', 'the commit failed with SQLITE_FULL'));
  mark.callOpened('c2');
  mark.callSettled('c2');
  mark.move();
  expect(await written()).toBe('c1');
});

test('a call whose intent surely was not written does not', async () => {
  for (const error of [new StorageError('queue-full', 'full'), new EntryError('too large')]) {
    mark.callOpened('c1');
    mark.writeFailed('c1', error);
  }
  mark.callOpened('c2');
  mark.callSettled('c2');
  mark.move();
  expect(await written()).toBe('c2');
});

test('the mark of the process before holds until a call moves it', async () => {
  mark.callOpened('c5');
  mark.callSettled('c5');
  mark.move();
  await written();
  const next = new RecoveryCheckpoint(book.database);
  next.move();
  expect(await written()).toBe('c5');
  // A clock that was set back makes ids before it.
  next.callOpened('c2');
  expect(await written()).toBe('c2');
});

test('what lies before the mark is not read again by the next start', async () => {
  await book.ledger.appendAll([admitted('c1'), admitted('c2'), closed('c2', { outcome: 'input-required' })]);
  mark.callOpened('c3');
  mark.move();
  await book.ledger.append(admitted('c3'));
  const found = await recover(book.database, book.ledger, { clock: new StandingClock() });
  expect(found.map(({ callId }) => callId)).toEqual(['c3']);
});

type Act = { readonly call: number; readonly do: 'open' | 'close' | 'move' };
const acts = fc.array(
  fc.record<Act>({ call: fc.integer({ min: 0, max: 9 }), do: fc.constantFrom('open', 'close', 'move') }),
  { maxLength: 40 },
);

test('whenever the broker is killed, no call that is open is missed', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (steps) => {
      const killed = await openBook();
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
        const found = await recover(killed.database, killed.ledger, { clock: new StandingClock() });
        expect(found.map(({ callId }) => callId).sort()).toEqual([...open].sort());
      } finally {
        await killed.close();
      }
    }),
    { numRuns: 25 },
  );
});
