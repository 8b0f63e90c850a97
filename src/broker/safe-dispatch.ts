import type { Call } from '../domain/call.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import { errorMessage } from '../lib/thrown-text.ts';
import type { Log } from '../telemetry/log.ts';
import type { DispatchOptions } from './broker.ts';

/** The back door as the hall holds it. */
interface Upstreams {
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  readonly log: Log;
}

/** Sends a call out of the back door. Never rejects: a back door that does is a defect, and the call in doubt. */
export async function safeDispatch(
  upstreams: Upstreams,
  call: Call,
  options: DispatchOptions,
): Promise<DispatchResult> {
  try {
    return await upstreams.dispatch(call, options);
  } catch (error) {
    upstreams.log.error('dispatch.broke', { callId: call.id, error: errorMessage(error) });
    const message = 'the call broke after it was sent; it is in doubt';
    return { kind: 'failed', reason: 'upstream-lost', message, inDoubt: true };
  }
}
