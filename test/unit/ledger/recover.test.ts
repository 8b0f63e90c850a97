import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { recover } from '../../../src/ledger/recover.ts';
import {
  admitted,
  closed,
  DIGEST,
  ManualClock,
  openTestLedger,
  refused,
  systemEntry,
  type TestLedger,
} from '../../fixtures/ledger.ts';

let store: TestLedger;
beforeEach(async () => {
  store = await openTestLedger();
});
afterEach(() => store.close());

const recovered = async (): Promise<readonly string[]> =>
  (await recover(store.database, store.ledger, { clock: new ManualClock() })).map(({ callId }) => callId);

test('an intent without an outcome is recorded as in doubt, with its call', async () => {
  await store.ledger.append(admitted('open'));
  const [entry] = await recover(store.database, store.ledger, { clock: new ManualClock() });
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
  await store.ledger.appendAll([admitted('c1'), closed('c1'), refused('c2')]);
  expect(await recovered()).toEqual([]);
});

test('an intent is recorded as in doubt once', async () => {
  await store.ledger.append(admitted('open'));
  expect(await recovered()).toEqual(['open']);
  expect(await recovered()).toEqual([]);
});

test('open intents of several crashes are found if no start was recorded between them', async () => {
  await store.ledger.appendAll([
    systemEntry('broker.started'),
    admitted('c1'),
    admitted('c2'),
    closed('c2'),
    admitted('c3'),
  ]);
  expect(await recovered()).toEqual(['c1', 'c3']);
});

test('calls before the last recorded start are not examined again', async () => {
  await store.ledger.appendAll([admitted('settled'), systemEntry('broker.started'), admitted('open')]);
  expect(await recovered()).toEqual(['open']);
});

const RESERVED = { control: 'budget', effect: 'allow', facts: { costNanoUsd: 7, nowMs: 5, rules: [] } } as const;

/** A round of a call that an input request interrupts; `continues` is the call that it continues. */
function interrupted(callId: string, continues?: string): readonly Entry[] {
  return [round(callId, continues), closed(callId, { outcome: 'input-required', steps: [], durationMs: 30 })];
}

function round(callId: string, continues = ''): Entry {
  const goesOn = { control: 'request-state', effect: 'allow', facts: { continues, state: 'valid' } } as const;
  return admitted(callId, { steps: continues === '' ? [RESERVED] : [RESERVED, goesOn] });
}

test('a call that waited for an input response is closed as in doubt, with its estimated cost', async () => {
  await store.ledger.appendAll(interrupted('asked'));
  expect(await recover(store.database, store.ledger, { clock: new ManualClock() })).toEqual([
    {
      action: 'call',
      admittedAtMs: 1_700_000_000_000,
      atMs: 1_700_000_000_000,
      callId: 'asked',
      costNanoUsd: 7,
      durationMs: 30,
      inDoubt: true,
      kind: 'call.closed',
      message: 'the broker stopped while the call waited for an input response',
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

test('a call that waited is closed once, even if several starts are interrupted', async () => {
  await store.ledger.appendAll([...interrupted('asked'), ...interrupted('other')]);
  expect(await recovered()).toEqual(['asked', 'other']);
  expect(await recovered()).toEqual([]);
  await store.ledger.appendAll(interrupted('later'));
  expect(await recovered()).toEqual(['later']);
});

test('of a call with several rounds the last one is closed', async () => {
  await store.ledger.appendAll([...interrupted('first'), ...interrupted('second', 'first')]);
  await store.ledger.appendAll([...interrupted('third', 'first'), ...interrupted('another')]);
  expect(await recovered()).toEqual(['third', 'another']);
});

test('an earlier round of a call is not closed again: its last round has ended or is in doubt', async () => {
  await store.ledger.appendAll([...interrupted('c1'), round('c2', 'c1'), closed('c2')]);
  await store.ledger.appendAll([...interrupted('c3'), round('c4', 'c3')]);
  expect(await recovered()).toEqual(['c4']);
});

test('a call whose wait ended while the broker ran is not closed again', async () => {
  const ending = closed('asked', { outcome: 'failed', reason: 'question-unanswered', inDoubt: true, steps: [] });
  await store.ledger.appendAll([...interrupted('asked'), ending]);
  expect(await recovered()).toEqual([]);
});

test('calls that waited before the last recorded start are not examined again', async () => {
  await store.ledger.appendAll([...interrupted('settled'), systemEntry('broker.started'), ...interrupted('asked')]);
  expect(await recovered()).toEqual(['asked']);
});
