import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import type { ControlName, Verdict } from '../domain/verdict.ts';
import type { RecordedStep } from '../ledger/entry.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';

export const controlFailureMode: FailureMode<'control-failed'> = {
  control: 'controls',
  trigger: 'one of them throws',
  result: 'control-failed',
  override: null,
};

/** A row that was walked: its steps, and the refusal that ended it where one did. */
export interface ControlRun {
  readonly steps: readonly RecordedStep[];
  readonly evaluated: readonly EvaluatedControl[];
  readonly refusal?: Omit<Refusal, 'visible'>;
}

/** A control that has gathered facts and so must be settled, with those facts. */
export interface EvaluatedControl {
  readonly control: Control;
  readonly facts: JsonObject;
}

/** Told of a control that threw: a defect, enforced as a refusal and recorded as what it is. */
export type OnControlFailure = (control: ControlName, error: unknown) => void;

/**
 * Walks one row of controls until one does not allow. A control that throws is `indeterminate`: refused, and
 * recorded as itself, never as a verdict.
 */
export async function runControls(
  controls: readonly Control[],
  exchange: Exchange,
  options: { readonly signal: CancelSignal; readonly onFailure: OnControlFailure },
): Promise<ControlRun> {
  const steps: RecordedStep[] = [];
  const evaluated: EvaluatedControl[] = [];
  for (const control of controls) {
    let facts: JsonObject = {};
    let verdict: Verdict;
    try {
      const pendingFacts = control.gather(exchange, options);
      // A control that need not wait costs no turn of the event loop.
      facts = pendingFacts instanceof Promise ? await pendingFacts : pendingFacts;
      evaluated.push({ control, facts });
      verdict = control.decide(exchange, facts);
    } catch (error) {
      options.onFailure(control.name, error);
      steps.push({ control: control.name, facts, effect: 'indeterminate', reason: controlFailureMode.result });
      return { steps, evaluated, refusal: indeterminateResult(control.name) };
    }
    steps.push(toRecordedStep(control.name, facts, verdict));
    const refusal = toRefusal(control.name, verdict);
    if (refusal) return { steps, evaluated, refusal };
  }
  return { steps, evaluated };
}

/** Settles every evaluated control once, last first. One that throws is told of and does not keep the others from it. */
export function settleAll(
  evaluated: readonly EvaluatedControl[],
  exchange: Exchange,
  options: { readonly outcome: Outcome; readonly onFailure: OnControlFailure },
): void {
  for (let index = evaluated.length - 1; index >= 0; index -= 1) {
    const { control, facts } = evaluated[index] as EvaluatedControl;
    try {
      control.settle?.(exchange, facts, options.outcome);
    } catch (error) {
      options.onFailure(control.name, error);
    }
  }
}

function toRecordedStep(control: ControlName, facts: JsonObject, verdict: Verdict): RecordedStep {
  if (verdict.effect === 'allow') {
    return verdict.rule === undefined
      ? { control, facts, effect: 'allow' }
      : { control, facts, effect: 'allow', rule: verdict.rule };
  }
  const step: RecordedStep = { control, facts, effect: verdict.effect, reason: verdict.reason };
  return verdict.effect === 'deny' && verdict.rule !== undefined ? { ...step, rule: verdict.rule } : step;
}

function toRefusal(stage: ControlName, verdict: Verdict): Omit<Refusal, 'visible'> | undefined {
  if (verdict.effect === 'allow') return undefined;
  const refusal = {
    kind: 'refused',
    stage,
    effect: verdict.effect,
    reason: verdict.reason,
    message: verdict.message,
  } as const;
  if (verdict.effect === 'hold') return refusal;
  return {
    ...refusal,
    ...(verdict.rule === undefined ? {} : { rule: verdict.rule }),
    ...(verdict.retryAfterMs === undefined ? {} : { retryAfterMs: verdict.retryAfterMs }),
  };
}

function indeterminateResult(stage: ControlName): Omit<Refusal, 'visible'> {
  return {
    kind: 'refused',
    stage,
    effect: 'indeterminate',
    reason: controlFailureMode.result,
    message: 'this call cannot be decided now',
  };
}
