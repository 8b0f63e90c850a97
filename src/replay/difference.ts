import type { Verdict } from '../domain/verdict.ts';
import type { DecisionEntry, RecordedStep } from '../ledger/entry.ts';

/** What a decision came to, as far as two of them are compared. */
export interface ComparedDecision {
  readonly effect: string;
  readonly reason?: string;
  readonly rule?: string;
  /** What was thrown, where something was. */
  readonly detail?: string;
}

/** Something in the record that replay cannot make again. Each names its call. */
export type Difference = {
  /** `unknown` when the body does not tell any more. */
  readonly callId: string;
  /** Number of the entry. */
  readonly seq: number;
} & (
  | {
      readonly kind: 'decision';
      readonly control: string;
      readonly recorded: ComparedDecision;
      readonly replayed: ComparedDecision;
    }
  /** The body is not what was hashed when it was written. */
  | { readonly kind: 'body-changed' | 'body-unreadable' | 'intent-missing' }
  /** The steps do not lead to what the entry says. */
  | { readonly kind: 'inconsistent'; readonly detail: string }
);

/** The comparable part of a verdict or of a recorded step. */
export function comparedDecision(verdict: Verdict | RecordedStep): ComparedDecision {
  const reason = 'reason' in verdict ? verdict.reason : undefined;
  const rule = 'rule' in verdict ? verdict.rule : undefined;
  return {
    effect: verdict.effect,
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Why the steps of an entry cannot have led to what it says; undefined when they can. */
export function findInconsistency(entry: DecisionEntry): string | undefined {
  const refusedIndex = entry.steps.findIndex(({ effect }) => effect !== 'allow');
  if (refusedIndex >= 0 && refusedIndex < entry.steps.length - 1) return 'a step follows one that did not allow';
  const last = entry.steps.at(-1);
  switch (entry.kind) {
    case 'call.admitted':
      return refusedIndex >= 0 ? 'the call was admitted although a step did not allow it' : undefined;
    case 'call.refused':
      // The walk itself refuses a call that comes while the broker stops, before any step.
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
