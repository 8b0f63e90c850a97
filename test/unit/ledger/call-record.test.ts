import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Recorder } from '../../../src/broker/recorder.ts';
import type { Refusal } from '../../../src/domain/outcome.ts';
import type { Target } from '../../../src/domain/target.ts';
import { CallRecord } from '../../../src/ledger/call-record.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { listCallEntries, listEntries } from '../../../src/ledger/list-entries.ts';
import { RecoveryCheckpoint } from '../../../src/ledger/recovery-checkpoint.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';
import { type Book, DIGEST, openBook, StandingClock } from '../../fixtures/ledger.ts';

let book: Book;
let clock: StandingClock;
let record: CallRecord;
beforeEach(async () => {
  book = await openBook();
  clock = new StandingClock();
  record = new CallRecord(book.ledger, { clock, mark: new RecoveryCheckpoint(book.database) });
});
afterEach(() => book.close());

const { call } = exchangeOf({ args: { path: 'a' } });
const steps = [
  { control: 'authorize' as const, effect: 'allow' as const, facts: { z: 1, a: 2 }, rule: 'policy.csv:1' },
];
const decided = { call, steps, revision: DIGEST, registry: DIGEST } as const;
const exceeded: Refusal = {
  kind: 'refused',
  stage: 'rate',
  effect: 'deny',
  reason: 'rate-exceeded',
  message: 'too many calls',
  rule: 'limits.yaml:2',
  retryAfterMs: 100,
  visible: true,
};
const entries = (): readonly (Entry | null)[] =>
  [...listEntries(book.database, { limit: 100 })].reverse().map(({ entry }) => entry);

test('it is what the hall writes with', () => {
  const recorder: Recorder = record;
  expect(recorder).toBe(record);
});

test('an intent says who, what, under which rules and what each control saw', async () => {
  await record.admitted(decided);
  expect(entries()).toEqual([
    {
      action: 'call',
      argsDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      atMs: 1_700_000_000_000,
      callId: '01923456-789a-7000-8000-000000000000',
      context: { protocolVersion: '2026-07-28', transport: 'http' },
      credential: { id: 'uid:1000', proof: 'os-user' },
      kind: 'call.admitted',
      principal: 'agent:demo',
      registry: DIGEST,
      revision: DIGEST,
      session: 'stateless',
      steps: [{ control: 'authorize', effect: 'allow', facts: { a: 2, z: 1 }, rule: 'policy.csv:1' }],
      subjects: ['agent:demo'],
      target: { definitionDigest: 'sha256:00', id: 'tool:crm/lookup', risk: 'read' },
      v: 1,
    },
  ]);
});

test('an outcome says how the call ended and what it cost', async () => {
  const result = { content: [] };
  const outcome = { kind: 'completed', result, resultBytes: 14 } as const;
  await record.closed({
    ...decided,
    steps: [],
    outcome,
    resultText: '{"content":[]}',
    costNanoUsd: 2_000_000,
    durationMs: 12,
  });
  expect(entries()).toEqual([
    {
      action: 'call',
      admittedAtMs: 0,
      atMs: 1_700_000_000_000,
      callId: '01923456-789a-7000-8000-000000000000',
      costNanoUsd: 2_000_000,
      durationMs: 12,
      inDoubt: false,
      kind: 'call.closed',
      outcome: 'completed',
      principal: 'agent:demo',
      registry: DIGEST,
      resultBytes: 14,
      resultDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      revision: DIGEST,
      session: 'stateless',
      steps: [],
      target: 'tool:crm/lookup',
      v: 1,
    },
  ]);
});

test('a failure whose upstream may have acted says that it is in doubt', async () => {
  const outcome = { kind: 'failed', reason: 'upstream-lost', message: 'gone', inDoubt: true } as const;
  await record.closed({ ...decided, outcome, costNanoUsd: 0, durationMs: 1 });
  expect(entries()).toMatchObject([{ outcome: 'failed', reason: 'upstream-lost', message: 'gone', inDoubt: true }]);
});

test('a result that was withheld is committed to, and the entry names the control that withheld it', async () => {
  const outcome: Refusal = { ...exceeded, stage: 'validate-output', reason: 'output-invalid' };
  await record.closed({ ...decided, outcome, resultText: '{"content":[]}', costNanoUsd: 0, durationMs: 1 });
  expect(entries()).toMatchObject([
    { outcome: 'refused', stage: 'validate-output', reason: 'output-invalid', resultDigest: expect.any(String) },
  ]);
});

test('arguments are kept only where the tool says so', async () => {
  const keeping = { ...call, target: { ...call.target, payloads: 'keep' } as Target };
  await record.admitted({ ...decided, call: keeping });
  expect(listCallEntries(book.database, call.id)[0]?.payload).toEqual({
    kept: 'bytes',
    value: { path: 'a' },
    matches: true,
  });
});

test('an unknown name is recorded short and whole, whatever was asked for', async () => {
  const target: Target = { kind: 'unknown', id: 'tool:unknown', exposedName: `${'x'.repeat(255)}😀` };
  await record.refused({ ...decided, call: { ...call, target } }, { ...exceeded, reason: 'unknown-tool' });
  const name = `${'x'.repeat(255)}\ufffd`;
  expect(entries()).toMatchObject([{ target: { id: 'tool:unknown', exposedName: name } }]);
});

test('a trace context of any length leaves room for the record', async () => {
  const context = { ...call.context, traceparent: 'y'.repeat(100_000) };
  await record.admitted({ ...decided, call: { ...call, context } });
  expect(entries()).toMatchObject([{ context: { traceparent: 'y'.repeat(256) } }]);
});

test('facts that are too large for an entry refuse the call', async () => {
  const large = [{ control: 'authorize' as const, effect: 'allow' as const, facts: { text: 'x'.repeat(70_000) } }];
  await expect(async () => record.admitted({ ...decided, steps: large })).rejects.toThrow('larger than 65535 bytes');
  expect(entries()).toEqual([]);
});

test('of a flood of rate refusals the first is an entry and the others are one', async () => {
  for (let made = 0; made < 1_000; made += 1) await record.refused(decided, exceeded);
  await record.flush();
  expect(entries()).toMatchObject([
    { kind: 'call.refused', reason: 'rate-exceeded', rule: 'limits.yaml:2', retryAfterMs: 100 },
    {
      kind: 'call.refusals-summed',
      of: 'call.refused',
      count: 999,
      fromMs: 1_700_000_000_000,
      principal: 'agent:demo',
      reason: 'rate-exceeded',
      rule: 'limits.yaml:2',
    },
  ]);
});

test('every second, every rule and every principal has a sum of its own', async () => {
  const other = { ...call, principal: { ...call.principal, id: 'agent:other' as const } };
  await record.refused(decided, exceeded);
  await record.refused(decided, { ...exceeded, rule: 'limits.yaml:3' });
  await record.refused({ ...decided, call: other }, exceeded);
  clock.nowMs += 1_000;
  await record.refused(decided, exceeded);
  expect(entries().map((entry) => entry?.kind)).toEqual(Array.from({ length: 4 }, () => 'call.refused'));
});

test('a sum is written when its second is over and its principal comes again', async () => {
  await record.refused(decided, exceeded);
  await record.refused(decided, exceeded);
  clock.nowMs += 1_000;
  await record.refused(decided, exceeded);
  expect(entries().map((entry) => entry?.kind)).toEqual(['call.refused', 'call.refusals-summed', 'call.refused']);
});

test('refusals by policy are never summed', async () => {
  for (let made = 0; made < 3; made += 1) {
    await record.refused(decided, { ...exceeded, stage: 'authorize', reason: 'policy-denied' });
  }
  expect(entries()).toHaveLength(3);
});

test('refused messages are recorded, and a flood of them is summed', async () => {
  const message = { principal: call.principal, context: call.context, code: -32_700, problem: 'not JSON' };
  for (let made = 0; made < 5; made += 1) await record.malformed({ ...message, revision: DIGEST, registry: DIGEST });
  await record.flush();
  expect(entries()).toMatchObject([
    { kind: 'message.refused', code: -32_700, problem: 'not JSON', credential: { id: 'uid:1000', proof: 'os-user' } },
    { kind: 'call.refusals-summed', of: 'message.refused', code: -32_700, count: 4 },
  ]);
});

test('what cannot be made durable rejects', async () => {
  await book.database.close();
  await expect(record.admitted(decided)).rejects.toMatchObject({ kind: 'closed' });
});
