import type { RequestStateStatus } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny } from '../domain/verdict.ts';

export const requestStateFailureMode: FailureMode<'request-state-invalid'> = {
  control: 'request state',
  trigger: 'the state of a retry was not issued for this call, was used already, or has expired',
  result: 'request-state-invalid',
  override: null,
};

/** Status of the state, and the id of the first round of the suspended call (empty if there is none). */
export type RequestStateFacts = { readonly state: RequestStateStatus; readonly continues: string };

/**
 * Control `request-state` of retries. The message is the same for every invalid state, so that an agent cannot learn
 * whether a state was ever valid; the record has the status. The state is claimed before the controls run: a final
 * refusal by any control ends the suspended call.
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
