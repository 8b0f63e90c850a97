import type { Verdict } from '../domain/verdict.ts';
import type { DecisionEntry, RecordedStep } from '../ledger/entry.ts';

/** The part of a decision that is compared. */
export interface ComparedDecision {
  readonly effect: string;
  readonly reason?: string;
  readonly rule?: string;
  /** Message of the error, if the control threw. */
  readonly detail?: string;
}

/** One difference between the ledger and its replay. */
export type Difference = {
  /** `unknown` if the body is not readable. */
  readonly callId: string;
  /** Sequence number of the entry. */
  readonly seq: number;
} & (
  | {
      readonly kind: 'decision';
      readonly control: string;
      readonly recorded: ComparedDecision;
      readonly replayed: ComparedDecision;
    }
  /** The body does not match the hash that was written with it, is not readable, or the intent of the call is missing. */
  | { readonly kind: 'body-changed' | 'body-unreadable' | 'intent-missing' }
  /** The steps do not lead to the decision of the entry. */
  | { readonly kind: 'inconsistent'; readonly detail: string }
);

/** Returns the comparable part of a verdict or a recorded step. */
export function comparedDecision(verdict: Verdict | RecordedStep): ComparedDecision {
  const reason = 'reason' in verdict ? verdict.reason : undefined;
  const rule = 'rule' in verdict ? verdict.rule : undefined;
  return {
    effect: verdict.effect,
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Returns the reason why the steps of an entry cannot have led to its decision; undefined if they can. */
export function findInconsistency(entry: DecisionEntry): string | undefined {
  const refusedIndex = entry.steps.findIndex(({ effect }) => effect !== 'allow');
  if (refusedIndex >= 0 && refusedIndex < entry.steps.length - 1) return 'a step follows one that did not allow';
  const last = entry.steps.at(-1);
  switch (entry.kind) {
    case 'call.admitted':
      return refusedIndex >= 0 ? 'the call was admitted although a step did not allow it' : undefined;
    case 'call.refused':
      // The pipeline itself refuses a call that comes while the broker stops, before any step.
      if (entry.stage === 'walk' || entry.stage === 'ledger') return undefined;
      return refusalMismatch(entry, last);
    case 'call.closed':
      if (entry.outcome === 'refused') return refusalMismatch(entry, last);
      return refusedIndex >= 0 ? 'the result was passed on although a step did not allow it' : undefined;
  }
}

function refusalMismatch(
  entry: {
    readonly stage?: string | undefined;
    readonly reason?: string | undefined;
    readonly rule?: string | undefined;
  },
  last: RecordedStep | undefined,
): string | undefined {
  if (last === undefined || last.effect === 'allow') return 'the call was refused although no step refused it';
  if (last.control !== entry.stage) return `the refusal names ${entry.stage}, the last step is ${last.control}`;
  if (last.reason !== entry.reason) return `the refusal says ${entry.reason}, the last step ${last.reason}`;
  return last.rule === entry.rule ? undefined : 'the refusal and the last step name different rules';
}
