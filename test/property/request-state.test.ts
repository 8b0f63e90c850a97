import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemIds } from '../../src/app/system.ts';
import type { Call } from '../../src/domain/call.ts';
import type { ClientContext } from '../../src/domain/mcp/client-context.ts';
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

const CLIENT: ClientContext = {
  capabilities: { elicitation: {} },
  logLevel: undefined,
  wantsProgress: false,
  progress: () => true,
  log: () => true,
};

/** A suspended call, and the result of a retry with any state. */
class Suspended {
  readonly call: Call = { ...exchangeOf({ args: { a: 1 } }).call };
  readonly state: string;
  nowMs = 0;
  readonly #store: SuspendedCallStore<string>;

  constructor() {
    const clock = { wallMs: () => 0, monotonicMs: () => this.nowMs };
    const limits = { perPrincipal: 2, total: 2, expiryMs: EXPIRY_MS };
    this.#store = new SuspendedCallStore({ ids: systemIds(), clock }, limits, () => {});
    const suspended = this.#store.begin(this.call, CLIENT);
    this.state = this.#store.issueState(suspended, this.call);
    this.#store.wait(suspended, 'round');
  }

  /** Facts and verdict of the control on a retry with `state`. */
  retry(change: Partial<Call>, state: unknown): { readonly state: unknown; readonly verdict: unknown } {
    const retry = { ...this.call, id: '01923456-789a-7000-8000-000000000001', ...change };
    const { check } = this.#store.claim(retry, state as string);
    const call = { ...retry, resumption: { state: state as string, responses: {}, stateCheck: check } };
    const control = requestState();
    const facts = control.gather({ call }, { signal: new AbortController().signal });
    if (facts instanceof Promise) throw new Error('the control is synchronous');
    return { state: facts.state, verdict: control.decide({ call }, facts) };
  }

  close(): void {
    this.#store.close();
  }
}

test('a state resumes its call, once', () => {
  const suspended = new Suspended();
  expect(suspended.retry({}, suspended.state)).toEqual({ state: 'valid', verdict: { effect: 'allow' } });
  expect(suspended.retry({}, suspended.state)).toEqual({ state: 'spent', verdict: REFUSED });
  suspended.close();
});

test('a state with any bit changed is refused like any other, and the true one stays valid', () => {
  const suspended = new Suspended();
  const bytes = Buffer.from(suspended.state, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(suspended.retry({}, changed.toString('base64url'))).toEqual({ state: 'unreadable', verdict: REFUSED });
  }
  expect(suspended.retry({}, suspended.state).state).toBe('valid');
  suspended.close();
});

test('no other text than the one that was issued resumes the call', () => {
  const suspended = new Suspended();
  const { state } = suspended;
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
    // The last letter has bits that belong to no byte.
    fc
      .constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split(''))
      .map((c) => state.slice(0, -1) + c),
  );
  fc.assert(
    fc.property(
      others.filter((other) => other !== state),
      (other) => {
        expect(suspended.retry({}, other)).toEqual({ state: 'unreadable', verdict: REFUSED });
      },
    ),
  );
  expect(suspended.retry({}, state).state).toBe('valid');
  suspended.close();
});

test('another agent, tool, definition or other arguments cannot resume the call, and leave its state valid', () => {
  const suspended = new Suspended();
  const { call, state } = suspended;
  const principal = principalForOsUser('other', 1000, (name) => ({ name, owner: 'ben@example.org' }));
  if (!principal || call.target.kind !== 'tool') throw new Error('the fixture has no tool');
  const foreign = { state: 'foreign', verdict: REFUSED };
  expect(suspended.retry({ principal }, state)).toEqual(foreign);
  expect(suspended.retry({ target: { ...call.target, id: 'tool:crm/other' } }, state)).toEqual(foreign);
  expect(suspended.retry({ target: { ...call.target, definitionDigest: 'sha256:01' } }, state)).toEqual(foreign);
  expect(suspended.retry({ args: { a: 2 } }, state)).toEqual(foreign);
  expect(suspended.retry({}, state).state).toBe('valid');
  suspended.close();
});

test('the state of another process is refused like any other', () => {
  const [one, other] = [new Suspended(), new Suspended()];
  expect(one.retry({}, other.state)).toEqual({ state: 'unreadable', verdict: REFUSED });
  one.close();
  other.close();
});

test('an expired state is refused like any other', () => {
  const suspended = new Suspended();
  suspended.nowMs = EXPIRY_MS;
  expect(suspended.retry({}, suspended.state)).toEqual({ state: 'expired', verdict: REFUSED });
  suspended.close();
});
