import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Recorder } from '../../../src/broker/recorder.ts';
import type { Refusal } from '../../../src/domain/outcome.ts';
import type { Target } from '../../../src/domain/target.ts';
import { CallRecord } from '../../../src/ledger/call-record.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { listCallEntries, listEntries } from '../../../src/ledger/list-entries.ts';
import { RecoveryCheckpoint } from '../../../src/ledger/recovery-checkpoint.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';
import { DIGEST, ManualClock, openTestLedger, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
let clock: ManualClock;
let record: CallRecord;
beforeEach(async () => {
  store = await openTestLedger();
  clock = new ManualClock();
  record = new CallRecord(store.ledger, { clock, mark: new RecoveryCheckpoint(store.database) });
});
afterEach(() => store.close());

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
  [...listEntries(store.database, { limit: 100 })].reverse().map(({ entry }) => entry);

test('it is the recorder of the broker', () => {
  const recorder: Recorder = record;
  expect(recorder).toBe(record);
});

test('an intent has the principal, the target, the revisions and the facts of each control', async () => {
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

test('an outcome has the result of the call and its cost', async () => {
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

test('a failure after which the tool may have taken effect is in doubt', async () => {
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

test('arguments are kept only if the server keeps payloads', async () => {
  const keeping = { ...call, target: { ...call.target, payloads: 'keep' } as Target };
  await record.admitted({ ...decided, call: keeping });
  expect(listCallEntries(store.database, call.id)[0]?.payload).toEqual({
    kept: 'bytes',
    value: { path: 'a' },
    matches: true,
  });
});

test('an unknown name is recorded truncated and well-formed', async () => {
  const target: Target = { kind: 'unknown', id: 'tool:unknown', exposedName: `${'x'.repeat(255)}😀` };
  await record.refused({ ...decided, call: { ...call, target } }, { ...exceeded, reason: 'unknown-tool' });
  const name = `${'x'.repeat(255)}\ufffd`;
  expect(entries()).toMatchObject([{ target: { id: 'tool:unknown', exposedName: name } }]);
});

test('a trace context of any length does not make the entry too large', async () => {
  const context = { ...call.context, traceparent: 'y'.repeat(100_000) };
  await record.admitted({ ...decided, call: { ...call, context } });
  expect(entries()).toMatchObject([{ context: { traceparent: 'y'.repeat(256) } }]);
});

test('facts that are too large for an entry reject the record', async () => {
  const large = [{ control: 'authorize' as const, effect: 'allow' as const, facts: { text: 'x'.repeat(70_000) } }];
  await expect(async () => record.admitted({ ...decided, steps: large })).rejects.toThrow('larger than 65535 bytes');
  expect(entries()).toEqual([]);
});

test('of many rate refusals the first gets an entry and the others share one', async () => {
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

test('every second, every rule and every principal has its own aggregate', async () => {
  const other = { ...call, principal: { ...call.principal, id: 'agent:other' as const } };
  await record.refused(decided, exceeded);
  await record.refused(decided, { ...exceeded, rule: 'limits.yaml:3' });
  await record.refused({ ...decided, call: other }, exceeded);
  clock.nowMs += 1_000;
  await record.refused(decided, exceeded);
  expect(entries().map((entry) => entry?.kind)).toEqual(Array.from({ length: 4 }, () => 'call.refused'));
});

test('an aggregate is written when its second is over and the next refusal arrives', async () => {
  await record.refused(decided, exceeded);
  await record.refused(decided, exceeded);
  clock.nowMs += 1_000;
  await record.refused(decided, exceeded);
  expect(entries().map((entry) => entry?.kind)).toEqual(['call.refused', 'call.refusals-summed', 'call.refused']);
});

test('refusals by policy are not aggregated', async () => {
  for (let made = 0; made < 3; made += 1) {
    await record.refused(decided, { ...exceeded, stage: 'authorize', reason: 'policy-denied' });
  }
  expect(entries()).toHaveLength(3);
});

test('refused messages are recorded, and many of them are aggregated', async () => {
  const message = { principal: call.principal, context: call.context, code: -32_700, problem: 'not JSON' };
  for (let made = 0; made < 5; made += 1) await record.malformed({ ...message, revision: DIGEST, registry: DIGEST });
  await record.flush();
  expect(entries()).toMatchObject([
    { kind: 'message.refused', code: -32_700, problem: 'not JSON', credential: { id: 'uid:1000', proof: 'os-user' } },
    { kind: 'call.refusals-summed', of: 'message.refused', code: -32_700, count: 4 },
  ]);
});

test('a record that cannot be made durable rejects', async () => {
  await store.database.close();
  await expect(record.admitted(decided)).rejects.toMatchObject({ kind: 'closed' });
});
