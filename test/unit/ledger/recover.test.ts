import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../../src/ledger/recover.ts';
import { admitted, type Book, closed, DIGEST, house, openBook, refused, StandingClock } from '../../fixtures/book.ts';

let book: Book;
beforeEach(async () => {
  book = await openBook();
});
afterEach(() => book.close());

const recovered = async (): Promise<readonly string[]> =>
  (await recover(book.database, book.ledger, { clock: new StandingClock() })).map(({ callId }) => callId);

test('an intent without an outcome is in doubt, and says of which call', async () => {
  await book.ledger.append(admitted('open'));
  const [entry] = await recover(book.database, book.ledger, { clock: new StandingClock() });
  expect(entry).toEqual({
    action: 'call',
    admittedAtMs: 1_700_000_000_000,
    atMs: 1_700_000_000_000,
    callId: 'open',
    kind: 'call.in-doubt',
    principal: 'agent:demo',
    reason: 'in-doubt',
    registry: DIGEST,
    revision: DIGEST,
    session: 'stateless',
    target: 'tool:files/read',
    v: 1,
  });
});

test('closed and refused calls are not in doubt', async () => {
  await book.ledger.appendAll([admitted('c1'), closed('c1'), refused('c2')]);
  expect(await recovered()).toEqual([]);
});

test('an intent is marked once', async () => {
  await book.ledger.append(admitted('open'));
  expect(await recovered()).toEqual(['open']);
  expect(await recovered()).toEqual([]);
});

test('open intents of several crashes before any start was recorded are all found', async () => {
  await book.ledger.appendAll([house('broker.started'), admitted('c1'), admitted('c2'), closed('c2'), admitted('c3')]);
  expect(await recovered()).toEqual(['c1', 'c3']);
});

test('what a recorded start has settled is not looked at again', async () => {
  await book.ledger.appendAll([admitted('settled'), house('broker.started'), admitted('open')]);
  expect(await recovered()).toEqual(['open']);
});
