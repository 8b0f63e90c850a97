import type { AgentLink } from '../domain/agent-link.ts';
import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import {
  type DispatchResult,
  type InputRequired,
  mayHaveActed,
  type Outcome,
  type Refusal,
} from '../domain/outcome.ts';
import type { Target } from '../domain/target.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { CallReply, CallRequest } from './broker.ts';
import { OVERLOAD_RETRY_MS } from './overload.ts';
import { partOf } from './visibility.ts';
import type { World } from './world.ts';

/** One call on its way through the hall. */
export interface Walk {
  readonly world: World;
  readonly call: Call;
  readonly startedMs: number;
  readonly signal: CancelSignal;
  readonly link: AgentLink | undefined;
  readonly rows: { readonly request: readonly Control[]; readonly result: readonly Control[] };
  /** Where it goes when it is admitted. */
  send(walk: Walk): Promise<DispatchResult | InputRequired>;
}

/** What a name that stands for nothing is called, by what was asked for. */
const UNKNOWN_ID = {
  tool: 'tool:unknown',
  prompt: 'prompt:unknown',
  resource: 'resource:unknown',
  template: 'resource:unknown',
} as const;

const rows = new WeakMap<World, Walk['rows']>();

/** What most calls walk; one object for each world, so that a call makes none. */
export function rowsOf(world: World): Walk['rows'] {
  let known = rows.get(world);
  if (known === undefined) {
    known = { request: world.requestRow, result: world.resultRow };
    rows.set(world, known);
  }
  return known;
}

/** What a call is charged: nothing when it surely did not act. */
export function costOf(call: Call, outcome: Outcome): number {
  return call.target.kind !== 'unknown' && mayHaveActed(outcome) ? call.target.costNanoUsd : 0;
}

/** What the door is told of how a call ended. */
export function told({ id, target }: Call, outcome: Outcome): CallReply {
  const declaredOutput = target.kind === 'tool' ? target.definition.outputSchema : undefined;
  return { callId: id, outcome, declaredOutput };
}

/** The refusal of what nobody can judge now. */
export function cannotBeDecided(walk: Walk, stage: Refusal['stage'], reason: Refusal['reason']): Refusal {
  return {
    kind: 'refused',
    stage,
    effect: 'indeterminate',
    reason,
    message: 'this call cannot be decided now',
    visible: isVisible(walk),
  };
}

/** The refusal of what is not even asked about. */
export function barredBy(walk: Walk, reason: Refusal['reason']): Refusal {
  const refusal = cannotBeDecided(walk, 'walk', reason);
  if (reason === 'overloaded') {
    const message = 'the broker has as many calls under way as it takes; try again in a second';
    return { ...refusal, message, retryAfterMs: OVERLOAD_RETRY_MS };
  }
  if (reason !== 'subscriptions-exceeded') return refusal;
  return { ...refusal, effect: 'deny', message: 'the agent is subscribed to as many resources as one agent may be' };
}

/** What is asked for, in the view that it is asked in; the unknown where there is no such thing. */
export function targetOf(world: World, { exposedName, verb, view }: CallRequest): Target {
  return (
    partOf(world, view)?.resolve(exposedName, verb.kind) ?? {
      kind: 'unknown',
      id: UNKNOWN_ID[verb.kind],
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
export function isVisible({ world, call }: Walk): boolean {
  try {
    const { target, action } = call;
    return target.kind !== 'unknown' && (world.maySee(call, target) || world.mayEver(call, target, action));
  } catch {
    // The control that asked the same has said so in the log; what cannot be decided is not shown.
    return false;
  }
}

/** A call with what its view fixes, which goes before what the agent gave: judged, validated, recorded and sent as one. */
export function withFixed(call: Call, fixed: JsonObject): Call {
  const overstepped = Object.keys(fixed).filter((name) => Object.hasOwn(call.args, name));
  const args = { ...call.args, ...fixed };
  return overstepped.length === 0 ? { ...call, args } : { ...call, args, overstepped };
}
