import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemIds } from '../../src/app/system.ts';
import type { Call } from '../../src/domain/call.ts';
import { principalForOsUser } from '../../src/identity/principal.ts';
import { requestState } from '../../src/input-required/request-state.ts';
import { SuspendedCallStore } from '../../src/input-required/suspended-call-store.ts';
import { exchangeOf } from '../fixtures/exchange.ts';

const EXPIRY_MS = 1_000;
const REFUSED = {
  effect: 'deny',
  reason: 'request-state-invalid',
  message: '`requestState` is not valid for this request',
};

/** A call that waits, and what came of another that goes on with some state. */
class Waiting {
  readonly call: Call = { ...exchangeOf({ args: { a: 1 } }).call };
  readonly state: string;
  nowMs = 0;
  readonly #suspensions: SuspendedCallStore;

  constructor() {
    const clock = { wallMs: () => 0, monotonicMs: () => this.nowMs };
    const limits = { perPrincipal: 2, total: 2, expiryMs: EXPIRY_MS };
    this.#suspensions = new SuspendedCallStore({ ids: systemIds(), clock }, limits);
    this.state = this.#suspensions.suspend(this.#suspensions.begin(this.call), this.call);
  }

  /** What the control sees and says of a call that goes on with `state`. */
  goOn(change: Partial<Call>, state: unknown): { readonly state: unknown; readonly verdict: unknown } {
    const goingOn = { ...this.call, id: '01923456-789a-7000-8000-000000000001', ...change };
    const claim = this.#suspensions.claim(goingOn, state as string);
    const call = { ...goingOn, resumption: { state: state as string, responses: {}, stateCheck: claim } };
    const control = requestState();
    const facts = control.gather({ call }, { signal: new AbortController().signal });
    if (facts instanceof Promise) throw new Error('nothing has to be waited for');
    return { state: facts.state, verdict: control.decide({ call }, facts) };
  }

  close(): void {
    this.#suspensions.close();
  }
}

test('a state goes on with its call, once', () => {
  const waiting = new Waiting();
  expect(waiting.goOn({}, waiting.state)).toEqual({ state: 'valid', verdict: { effect: 'allow' } });
  expect(waiting.goOn({}, waiting.state)).toEqual({ state: 'spent', verdict: REFUSED });
  waiting.close();
});

test('whatever bit of a state is changed, it is refused like any other, and the true one is still good', () => {
  const waiting = new Waiting();
  const bytes = Buffer.from(waiting.state, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(waiting.goOn({}, changed.toString('base64url'))).toEqual({ state: 'unreadable', verdict: REFUSED });
  }
  expect(waiting.goOn({}, waiting.state).state).toBe('valid');
  waiting.close();
});

test('no other text than the very one that was given goes on', () => {
  const waiting = new Waiting();
  const { state } = waiting;
  const others = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.constantFrom(
      `${state}=`,
      ` ${state}`,
      `${state}\n`,
      `${state}!`,
      state.slice(1),
      state.slice(0, -1),
      '',
      null,
      7,
      {},
    ),
    fc.nat(state.length - 1).map((at) => `${state.slice(0, at)}*${state.slice(at)}`),
    // The last letter holds bits that belong to no byte.
    fc
      .constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split(''))
      .map((c) => state.slice(0, -1) + c),
  );
  fc.assert(
    fc.property(
      others.filter((other) => other !== state),
      (other) => {
        expect(waiting.goOn({}, other)).toEqual({ state: 'unreadable', verdict: REFUSED });
      },
    ),
  );
  expect(waiting.goOn({}, state).state).toBe('valid');
  waiting.close();
});

test('another agent, tool, definition or other arguments cannot go on, and use nothing up', () => {
  const waiting = new Waiting();
  const { call, state } = waiting;
  const principal = principalForOsUser('other', 1000, (name) => ({ name, owner: 'ben@example.org' }));
  if (!principal || call.target.kind !== 'tool') throw new Error('the fixture is another');
  const foreign = { state: 'foreign', verdict: REFUSED };
  expect(waiting.goOn({ principal }, state)).toEqual(foreign);
  expect(waiting.goOn({ target: { ...call.target, id: 'tool:crm/other' } }, state)).toEqual(foreign);
  expect(waiting.goOn({ target: { ...call.target, definitionDigest: 'sha256:01' } }, state)).toEqual(foreign);
  expect(waiting.goOn({ args: { a: 2 } }, state)).toEqual(foreign);
  expect(waiting.goOn({}, state).state).toBe('valid');
  waiting.close();
});

test('the state of another process, or of a former one, is like one that never was', () => {
  const [one, other] = [new Waiting(), new Waiting()];
  expect(one.goOn({}, other.state)).toEqual({ state: 'unreadable', verdict: REFUSED });
  one.close();
  other.close();
});

test('a state that is too old is refused like any other', () => {
  const waiting = new Waiting();
  waiting.nowMs = EXPIRY_MS;
  expect(waiting.goOn({}, waiting.state)).toEqual({ state: 'expired', verdict: REFUSED });
  waiting.close();
});
