import type { Control } from '../domain/control.ts';
import type { PostureRow } from '../domain/posture.ts';
import { allow, deny } from '../domain/verdict.ts';
import type { StateFinding, Suspensions } from './suspensions.ts';

export const requestStatePosture: PostureRow<'request-state-invalid'> = {
  guard: 'request state',
  when: 'a call goes on with a state that was not given for it, was used already, or is too old',
  yields: 'request-state-invalid',
  opens: null,
};

/** What the state was, and the call that began what goes on (empty: none). */
export type RequestStateFacts = { readonly state: StateFinding; readonly continues: string };

/**
 * The control `request-state`, of calls that go on after a question. Whatever is wrong, the answer is the same: nobody
 * learns whether a state was ever good. The record says what it was.
 */
export function requestState(suspensions: Suspensions): Control<RequestStateFacts> {
  return {
    name: 'request-state',
    gather: ({ call }) => {
      const { finding, continues = '' } = suspensions.claim(call, call.resumption?.state ?? null);
      return { state: finding, continues };
    },
    decide: (_exchange, { state }) =>
      state === 'valid' ? allow() : deny(requestStatePosture.yields, '`requestState` is not valid for this request'),
    settle: ({ call }) => {
      // Not taken: the call was refused after all, and nobody else can go on with it.
      suspensions.take(call.id)?.cancel('cancelled', 'the call that was to go on was refused');
    },
  };
}
