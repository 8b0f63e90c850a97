import type { RequestStateStatus } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny } from '../domain/verdict.ts';

export const requestStateFailureMode: FailureMode<'request-state-invalid'> = {
  control: 'request state',
  trigger: 'a call goes on with a state that was not given for it, was used already, or is too old',
  result: 'request-state-invalid',
  override: null,
};

/** What the state was, and the call that began what goes on (empty: none). */
export type RequestStateFacts = { readonly state: RequestStateStatus; readonly continues: string };

/**
 * The control `request-state`, of calls that go on after a question. Whatever is wrong, the answer is the same: nobody
 * learns whether a state was ever good. The record says what it was. The state was claimed before the row was walked, so
 * that whoever refuses the call ends what waits.
 */
export function requestState(): Control<RequestStateFacts> {
  return {
    name: 'request-state',
    gather: ({ call }) => {
      const { status, originalCallId = '' } = call.resumption?.stateCheck ?? { status: 'unreadable' };
      return { state: status, continues: originalCallId };
    },
    decide: (_exchange, { state }) =>
      state === 'valid'
        ? allow()
        : deny(requestStateFailureMode.result, '`requestState` is not valid for this request'),
  };
}
