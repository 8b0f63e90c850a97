import { expect, test } from 'vitest';
import type { Control, Exchange } from '../../../src/domain/control.ts';
import { allow, deny } from '../../../src/domain/verdict.ts';
import { principalForOsUser } from '../../../src/identity/principal.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import type { StoredDecision } from '../../../src/ledger/list-entries.ts';
import { encodeEntry, leafHash } from '../../../src/ledger/stored-entry.ts';
import { type ReplayReport, replayDecide } from '../../../src/replay/replay-decide.ts';
import { admitted, closed, DIGEST, refused } from '../../fixtures/ledger.ts';

// A control that allows up to four uses. Its decision depends on the facts, and on the target's id if they say so.
const rate: Control = {
  name: 'rate',
  gather: () => {
    throw new Error('replay must not gather');
  },
  decide: (_exchange, { used }) =>
    Number(used) < 5 ? allow('limits.yaml:1') : deny('rate-exceeded', 'too many', { rule: 'limits.yaml:1' }),
};
const output: Control = {
  name: 'validate-output',
  gather: () => ({}),
  decide: (_exchange, { errors }) => (Number(errors) === 0 ? allow() : deny('output-invalid', 'no')),
};

const step = (used: number) =>
  used < 5
    ? ({ control: 'rate', effect: 'allow', facts: { used }, rule: 'limits.yaml:1' } as const)
    : ({ control: 'rate', effect: 'deny', facts: { used }, reason: 'rate-exceeded', rule: 'limits.yaml:1' } as const);
const intent = (callId: string, used = 1) => admitted(callId, { steps: [step(used)] });
const refusal = (callId: string, used = 5) =>
  refused(callId, { steps: [step(used)], stage: 'rate', reason: 'rate-exceeded', rule: 'limits.yaml:1' });
const outcome = (callId: string) =>
  closed(callId, { steps: [{ control: 'validate-output', effect: 'allow', facts: { errors: 0 } }] });

const stored = (entry: Entry, seq = 1): StoredDecision => {
  const body = encodeEntry(entry);
  return { seq, body, leaf: leafHash(body) };
};
const principalOf = ({ principal }: { readonly principal: string }) =>
  principalForOsUser(principal.slice('agent:'.length), 0, (name) => (name === '' ? undefined : { name, owner: '' }));

function replay(decisions: Iterable<StoredDecision>, controls: readonly Control[] = [rate, output]): ReplayReport {
  return replayDecide({ decisions, controlsFor: () => controls, principalOf });
}

test('a decision is repeated from its recorded facts', () => {
  const first = stored(intent('c1'));
  const report = replay([first, { ...stored(outcome('c1'), 2), intent: first }, stored(refusal('c2'), 3)]);
  expect(report).toEqual({
    calls: 2,
    decisions: 3,
    undecidable: 0,
    differenceCount: 0,
    differences: [],
    missing: [],
  });
});

test('the call is rebuilt from the entry alone', () => {
  const seen: Exchange[] = [];
  const spy: Control = {
    ...rate,
    decide: (exchange) => {
      seen.push(exchange);
      return allow('limits.yaml:1');
    },
  };
  replay([stored(intent('c1'))], [spy]);
  expect(seen[0]).toEqual({
    call: expect.objectContaining({
      id: 'c1',
      subjects: ['agent:demo'],
      action: 'call',
      target: expect.objectContaining({ id: 'tool:files/read', server: 'files', tool: 'read', risk: 'read' }),
      context: { protocolVersion: '2026-07-28', transport: 'http', session: 'stateless' },
      principal: expect.objectContaining({ id: 'agent:demo' }),
    }),
  });
});

test('a changed fact is reported with its call, as a changed body and a different decision', () => {
  const entry = stored(intent('c1', 4));
  const forged = { ...entry, body: entry.body.replace('"used":4', '"used":7') };
  expect(replay([stored(intent('c0')), forged]).differences).toEqual([
    { callId: 'c1', seq: 1, kind: 'body-changed' },
    {
      callId: 'c1',
      seq: 1,
      kind: 'decision',
      control: 'rate',
      recorded: { effect: 'allow', rule: 'limits.yaml:1' },
      replayed: { effect: 'deny', reason: 'rate-exceeded', rule: 'limits.yaml:1' },
    },
  ]);
});

test('a changed fact with a matching leaf is found by the decision', () => {
  const forged = encodeEntry(intent('c1', 4)).replace('"used":4', '"used":7');
  expect(replay([{ seq: 1, body: forged, leaf: leafHash(forged) }]).differences).toMatchObject([
    { callId: 'c1', kind: 'decision' },
  ]);
});

test('a changed fact that changes no decision is found by the leaf', () => {
  const entry = stored(intent('c1', 2));
  const forged = { ...entry, body: entry.body.replace('"used":2', '"used":3') };
  expect(replay([forged]).differences).toEqual([{ callId: 'c1', seq: 1, kind: 'body-changed' }]);
});

test('another rule is a difference', () => {
  const moved: Control = { ...rate, decide: () => allow('limits.yaml:9') };
  expect(replay([stored(intent('c1'))], [moved]).differences).toMatchObject([
    { recorded: { rule: 'limits.yaml:1' }, replayed: { rule: 'limits.yaml:9' } },
  ]);
});

test('a control that throws is a difference', () => {
  const throwing: Control = {
    ...rate,
    decide: () => {
      throw new Error('the facts hold no count');
    },
  };
  expect(replay([stored(intent('c1'))], [throwing]).differences).toMatchObject([
    { replayed: { effect: 'threw', detail: 'the facts hold no count' } },
  ]);
});

test('a recorded control that the revision does not have is a difference', () => {
  expect(replay([stored(intent('c1'))], [output]).differences).toMatchObject([
    { replayed: { effect: 'no-such-control' } },
  ]);
});

test('a step of a control that failed is not decided again', () => {
  const failed = [{ control: 'rate', effect: 'indeterminate', facts: {}, reason: 'control-failed' }] as const;
  const entry = refused('c1', { steps: failed, stage: 'rate', reason: 'control-failed' });
  const { rule: _rule, ...withoutRule } = entry;
  expect(replay([stored(withoutRule)])).toMatchObject({ undecidable: 1, decisions: 0, differenceCount: 0 });
});

test.each([
  ['an admitted call with a step that refused', { ...intent('c1'), steps: [step(5)] }],
  ['a refusal without a step that refused', { ...refusal('c1'), steps: [step(1)] }],
  ['a refusal without any step', { ...refusal('c1'), steps: [] }],
  ['a refusal by another control', { ...refusal('c1'), stage: 'budget' }],
  ['a refusal for another reason', { ...refusal('c1'), reason: 'policy-denied' as const }],
  ['a step after one that refused', { ...refusal('c1'), steps: [step(5), step(5)] }],
])('%s is inconsistent', (_name, entry) => {
  expect(replay([stored(entry)]).differences).toMatchObject([{ callId: 'c1', kind: 'inconsistent' }]);
});

test('a refusal without steps is consistent if the broker was stopping', () => {
  const entry = refused('c1', { steps: [], stage: 'walk', reason: 'shutting-down' });
  expect(replay([stored(entry)]).differenceCount).toBe(0);
});

test('an outcome without its intent is a difference', () => {
  expect(replay([stored(outcome('c1'))]).differences).toEqual([{ callId: 'c1', seq: 1, kind: 'intent-missing' }]);
});

test('a body that is not an entry is a difference', () => {
  expect(replay([{ ...stored(intent('c1')), body: '{"v":1' }]).differences).toEqual([
    { callId: 'unknown', seq: 1, kind: 'body-changed' },
    { callId: 'unknown', seq: 1, kind: 'body-unreadable' },
  ]);
});

test('an invalid principal is a difference', () => {
  expect(replay([stored({ ...intent('c1'), principal: 'agent:' })]).differences).toHaveLength(1);
});

test('a revision whose texts are not stored is reported with its number of decisions', () => {
  const report = replayDecide({
    decisions: [stored(intent('c1')), stored(refusal('c2'))],
    controlsFor: () => undefined,
    principalOf,
  });
  expect(report).toMatchObject({ decisions: 0, missing: [{ revision: DIGEST, decisions: 2 }] });
});

test('the controls of a revision are built once for many calls', () => {
  let built = 0;
  const decisions = Array.from({ length: 100 }, (_, index) => stored(intent(`c${index}`)));
  replayDecide({
    decisions,
    principalOf,
    controlsFor: () => {
      built += 1;
      return [rate];
    },
  });
  expect(built).toBe(1);
});

test('differences beyond the limit are counted and not listed', () => {
  const wrong = Array.from({ length: 50 }, (_, index) => stored({ ...refusal(`c${index}`), stage: 'budget' }));
  const report = replayDecide({ decisions: wrong, controlsFor: () => [rate], principalOf, differenceLimit: 3 });
  expect([report.differenceCount, report.differences.length]).toEqual([50, 3]);
});
