import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { ClientContext } from '../domain/mcp/client-context.ts';
import {
  type DispatchResult,
  type InputRequired,
  mayHaveTakenEffect,
  type Outcome,
  type Refusal,
} from '../domain/outcome.ts';
import type { Target } from '../domain/target.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import type { Log } from '../telemetry/log.ts';
import type { CallReply, CallRequest } from './broker.ts';
import type { Snapshot } from './snapshot.ts';
import { viewFor } from './visibility.ts';

/** One call on its way through the hall. */
export interface CallState {
  readonly snapshot: Snapshot;
  readonly call: Call;
  readonly startedMs: number;
  readonly signal: CancelSignal;
  readonly clientContext: ClientContext | undefined;
  readonly controls: { readonly request: readonly Control[]; readonly response: readonly Control[] };
  /** Where it goes when it is admitted. */
  send(state: CallState): Promise<DispatchResult | InputRequired>;
}

/** What a name that stands for nothing is called, by what was asked for. */
const UNKNOWN_ID = {
  tool: 'tool:unknown',
  prompt: 'prompt:unknown',
  resource: 'resource:unknown',
  template: 'resource:unknown',
} as const;

const controlsBySnapshot = new WeakMap<Snapshot, CallState['controls']>();

/** What most calls walk; one object for each world, so that a call makes none. */
export function controlsFor(snapshot: Snapshot): CallState['controls'] {
  let cached = controlsBySnapshot.get(snapshot);
  if (cached === undefined) {
    cached = { request: snapshot.requestControls, response: snapshot.responseControls };
    controlsBySnapshot.set(snapshot, cached);
  }
  return cached;
}

/** What a call is charged: nothing when it surely did not act. */
export function costOf(call: Call, outcome: Outcome): number {
  return call.target.kind !== 'unknown' && mayHaveTakenEffect(outcome) ? call.target.costNanoUsd : 0;
}

/** What the door is told of how a call ended. */
export function toCallReply({ id, target }: Call, outcome: Outcome): CallReply {
  const declaredOutput = target.kind === 'tool' ? target.definition.outputSchema : undefined;
  return { callId: id, outcome, declaredOutput };
}

/** The refusal of what nobody can judge now. */
export function indeterminateRefusal(state: CallState, stage: Refusal['stage'], reason: Refusal['reason']): Refusal {
  return {
    kind: 'refused',
    stage,
    effect: 'indeterminate',
    reason,
    message: 'this call cannot be decided now',
    visible: isVisible(state),
  };
}

/** The refusal of what is not even asked about. */
export function rejection(state: CallState, reason: Refusal['reason']): Refusal {
  const refusal = indeterminateRefusal(state, 'walk', reason);
  if (reason === 'overloaded') {
    const message = 'the broker has as many calls under way as it takes; try again in a second';
    return { ...refusal, message, retryAfterMs: OVERLOAD_RETRY_MS };
  }
  if (reason !== 'subscriptions-exceeded') return refusal;
  return { ...refusal, effect: 'deny', message: 'the agent is subscribed to as many resources as one agent may be' };
}

/** What is asked for, in the view that it is asked in; the unknown where there is no such thing. */
export function resolveTarget(snapshot: Snapshot, { exposedName, operation, view }: CallRequest): Target {
  return (
    viewFor(snapshot, view)?.resolve(exposedName, operation.kind) ?? {
      kind: 'unknown',
      id: UNKNOWN_ID[operation.kind],
      exposedName: printable(exposedName),
      ...(view === undefined ? {} : { view }),
    }
  );
}

/** A name as it may be recorded: short, and without control characters. */
function printable(name: string): string {
  return name.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '�');
}

/** Asked for refusals only: what one may not see is answered like what does not exist. */
export function isVisible({ snapshot, call }: CallState): boolean {
  try {
    const { target, action } = call;
    return (
      target.kind !== 'unknown' && (snapshot.isVisible(call, target) || snapshot.couldBeAllowed(call, target, action))
    );
  } catch {
    // The control that asked the same has said so in the log; what cannot be decided is not shown.
    return false;
  }
}

/** A call with what its view fixes, which goes before what the agent gave: judged, validated, recorded and sent as one. */
export function applyFixedArguments(call: Call, fixed: JsonObject): Call {
  const overriddenArguments = Object.keys(fixed).filter((name) => Object.hasOwn(call.args, name));
  const args = { ...call.args, ...fixed };
  return overriddenArguments.length === 0 ? { ...call, args } : { ...call, args, overriddenArguments };
}

export const overloadFailureMode: FailureMode<'overloaded'> = {
  control: 'calls under way',
  trigger: 'as many calls as the broker takes at one time are under way',
  result: 'overloaded',
  override: '`serve --max-calls <number>`',
};

/** Calls of all agents together that may be under way, where nobody says otherwise. */
export const DEFAULT_MAX_CALLS = 1_024;

/** When it is worth trying again: what is under way takes about so long to become less. */
export const OVERLOAD_RETRY_MS = 1_000;

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
    upstreams.log.error('dispatch.internal-error', { callId: call.id, error: errorMessage(error) });
    const message = 'the call broke after it was sent; it is in doubt';
    return { kind: 'failed', reason: 'upstream-lost', message, inDoubt: true };
  }
}
