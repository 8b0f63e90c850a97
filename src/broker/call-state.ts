import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { ClientContext } from '../domain/mcp/client-context.ts';
import { type DispatchResult, mayHaveTakenEffect, type Outcome, type Refusal } from '../domain/outcome.ts';
import type { Target } from '../domain/target.ts';
import type { SuspendedCall } from '../input-required/suspended-call.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import type { Log } from '../telemetry/log.ts';
import type { CallReply, CallRequest } from './broker.ts';
import type { EvaluatedControl } from './run-controls.ts';
import type { Snapshot } from './snapshot.ts';
import { viewFor } from './visible-lists.ts';

/** State of one call in the pipeline. */
export interface CallState {
  readonly snapshot: Snapshot;
  readonly call: Call;
  readonly startedMs: number;
  readonly signal: CancelSignal;
  readonly clientContext: ClientContext | undefined;
  readonly controls: { readonly request: readonly Control[]; readonly response: readonly Control[] };
  /** Delivers an input request to the agent; undefined for a call, which is dispatched to its server. */
  readonly deliver: (() => Promise<DispatchResult>) | undefined;
  /** Owner of the call across rounds, while this round holds it: claimed by a retry, or begun at dispatch. */
  suspended: SuspendedCall<SuspendedRound> | undefined;
}

/** A round that ended with input requests: the retry takes over its reservations, or it is closed a second time. */
export interface SuspendedRound {
  readonly state: CallState;
  readonly evaluated: readonly EvaluatedControl[];
}

/** Ids of targets that do not exist, by the kind that was requested. */
const UNKNOWN_ID = {
  tool: 'tool:unknown',
  prompt: 'prompt:unknown',
  resource: 'resource:unknown',
  template: 'resource:unknown',
} as const;

const controlsBySnapshot = new WeakMap<Snapshot, CallState['controls']>();

/** Returns the controls of a call that is not a retry. One object per snapshot, so that a call allocates none. */
export function controlsFor(snapshot: Snapshot): CallState['controls'] {
  let cached = controlsBySnapshot.get(snapshot);
  if (cached === undefined) {
    cached = { request: snapshot.requestControls, response: snapshot.responseControls };
    controlsBySnapshot.set(snapshot, cached);
  }
  return cached;
}

/** Returns the cost of a call in nano-dollars: zero if it surely did not act. */
export function costOf(call: Call, outcome: Outcome): number {
  return call.target.kind !== 'unknown' && mayHaveTakenEffect(outcome) ? call.target.costNanoUsd : 0;
}

/** Makes the reply to the ingress. */
export function toCallReply({ id, target }: Call, outcome: Outcome): CallReply {
  const declaredOutput = target.kind === 'tool' ? target.definition.outputSchema : undefined;
  return { callId: id, outcome, declaredOutput };
}

/** Makes the refusal of a call that cannot be decided now. */
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

/** Makes the refusal of a call that no control decides on. */
export function rejection(state: CallState, reason: Refusal['reason']): Refusal {
  const refusal = indeterminateRefusal(state, 'walk', reason);
  if (reason === 'overloaded') {
    const message = 'the broker has as many calls in flight as it takes; try again in a second';
    return { ...refusal, message, retryAfterMs: OVERLOAD_RETRY_MS };
  }
  if (reason !== 'subscriptions-exceeded') return refusal;
  const message = 'the agent is subscribed to as many resources as one agent may be; end a subscription first';
  return { ...refusal, effect: 'deny', message };
}

/** Resolves a name in the view of the request; an `UnknownTarget` if it does not exist. */
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

/** Makes a name safe to record: short, and without control characters. */
function printable(name: string): string {
  return name.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '�');
}

/** True if the principal may see the target. Only refusals need it: a hidden target is answered like one that does not exist. */
export function isVisible({ snapshot, call }: CallState): boolean {
  try {
    const { target, action } = call;
    return (
      target.kind !== 'unknown' && (snapshot.isVisible(call, target) || snapshot.couldBeAllowed(call, target, action))
    );
  } catch {
    // A control met the same error, and it is in the log. A target that cannot be decided on stays hidden.
    return false;
  }
}

/** Adds the fixed arguments of a view, which override those of the agent, before the call is decided, recorded and sent. */
export function applyFixedArguments(call: Call, fixed: JsonObject): Call {
  const overriddenArguments = Object.keys(fixed).filter((name) => Object.hasOwn(call.args, name));
  const args = { ...call.args, ...fixed };
  return overriddenArguments.length === 0 ? { ...call, args } : { ...call, args, overriddenArguments };
}

export const overloadFailureMode: FailureMode<'overloaded'> = {
  control: 'calls under way',
  trigger: 'as many calls are in flight as the broker takes',
  result: 'overloaded',
  override: '`serve --max-calls <number>`',
};

/** Default of the most calls in flight, of all agents together. */
export const DEFAULT_MAX_CALLS = 1_024;

/** Time after which a retry is useful: until then some calls in flight have ended. */
export const OVERLOAD_RETRY_MS = 1_000;

/** Converts a dispatch that threw, which is a defect: the call may have been sent, so it is in doubt. */
export function failedDispatch(log: Log, call: Call, error: unknown): DispatchResult {
  log.error('dispatch.internal-error', { callId: call.id, error: errorMessage(error) });
  const message = 'the broker failed after the call was sent; it is in doubt';
  return { kind: 'failed', reason: 'upstream-lost', message, inDoubt: true };
}
