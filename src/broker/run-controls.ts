import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import type { ControlName, Verdict } from '../domain/verdict.ts';
import type { RecordedStep } from '../ledger/entry.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';

export const controlFailureMode: FailureMode<'control-failed'> = {
  control: 'controls',
  trigger: 'a control throws',
  result: 'control-failed',
  override: null,
};

/** Result of running a list of controls: their steps, and the refusal that ended the run, if any. */
export interface ControlRun {
  readonly steps: readonly RecordedStep[];
  readonly evaluated: readonly EvaluatedControl[];
  readonly refusal?: Omit<Refusal, 'visible'>;
}

/** Control that gathered facts and must be settled with them. */
export interface EvaluatedControl {
  readonly control: Control;
  readonly facts: JsonObject;
}

/** Called when a control throws, which is a defect. The call is refused and the defect recorded. */
export type OnControlFailure = (control: ControlName, error: unknown) => void;

/**
 * Runs controls in order until one does not allow. A control that throws is `indeterminate`: the call is refused, and the
 * record says `indeterminate`, not `deny`.
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
      // A synchronous control costs no turn of the event loop.
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

/** Settles every evaluated control once, last first. A throwing control is reported; the rest still settle. */
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
