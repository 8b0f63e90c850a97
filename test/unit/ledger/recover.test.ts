import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { recover } from '../../../src/ledger/recover.ts';
import { admitted, type Book, closed, DIGEST, house, openBook, refused, StandingClock } from '../../fixtures/ledger.ts';

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

const RESERVED = { control: 'budget', effect: 'allow', facts: { costNanoUsd: 7, nowMs: 5, rules: [] } } as const;

/** A leg of a call that a question interrupts; `continues` is the call that it goes on with. */
function interrupted(callId: string, continues?: string): readonly Entry[] {
  return [leg(callId, continues), closed(callId, { outcome: 'input-required', steps: [], durationMs: 30 })];
}

function leg(callId: string, continues = ''): Entry {
  const goesOn = { control: 'request-state', effect: 'allow', facts: { continues, state: 'valid' } } as const;
  return admitted(callId, { steps: continues === '' ? [RESERVED] : [RESERVED, goesOn] });
}

test('a call that waited for an answer is closed: in doubt, with what it was reckoned to cost', async () => {
  await book.ledger.appendAll(interrupted('asked'));
  expect(await recover(book.database, book.ledger, { clock: new StandingClock() })).toEqual([
    {
      action: 'call',
      admittedAtMs: 1_700_000_000_000,
      atMs: 1_700_000_000_000,
      callId: 'asked',
      costNanoUsd: 7,
      durationMs: 30,
      inDoubt: true,
      kind: 'call.closed',
      message: 'the broker ended while the call waited for an answer',
      outcome: 'failed',
      principal: 'agent:demo',
      reason: 'in-doubt',
      registry: DIGEST,
      revision: DIGEST,
      session: 'stateless',
      steps: [],
      target: 'tool:files/read',
      v: 1,
    },
  ]);
});

test('a call that waited is closed once, however often a start is cut short', async () => {
  await book.ledger.appendAll([...interrupted('asked'), ...interrupted('other')]);
  expect(await recovered()).toEqual(['asked', 'other']);
  expect(await recovered()).toEqual([]);
  await book.ledger.appendAll(interrupted('later'));
  expect(await recovered()).toEqual(['later']);
});

test('of a call that went on and was asked again the last leg is closed', async () => {
  await book.ledger.appendAll([...interrupted('first'), ...interrupted('second', 'first')]);
  await book.ledger.appendAll([...interrupted('third', 'first'), ...interrupted('another')]);
  expect(await recovered()).toEqual(['third', 'another']);
});

test('a call that went on is not closed a second time: its last leg ended or is itself in doubt', async () => {
  await book.ledger.appendAll([...interrupted('c1'), leg('c2', 'c1'), closed('c2')]);
  await book.ledger.appendAll([...interrupted('c3'), leg('c4', 'c3')]);
  expect(await recovered()).toEqual(['c4']);
});

test('a call whose waiting ended while the broker ran is not closed a second time', async () => {
  const ending = closed('asked', { outcome: 'failed', reason: 'question-unanswered', inDoubt: true, steps: [] });
  await book.ledger.appendAll([...interrupted('asked'), ending]);
  expect(await recovered()).toEqual([]);
});

test('what a recorded start has settled of calls that waited is not looked at again', async () => {
  await book.ledger.appendAll([...interrupted('settled'), house('broker.started'), ...interrupted('asked')]);
  expect(await recovered()).toEqual(['asked']);
});
