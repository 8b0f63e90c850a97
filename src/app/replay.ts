import { recordedPrincipal } from '../identity/recorded-principal.ts';
import { loadPolicy } from '../ledger/policy-archive.ts';
import { eachDecision } from '../ledger/query.ts';
import { createBudgetState } from '../limits/budget-state.ts';
import { createConcurrencyState } from '../limits/concurrency-state.ts';
import { createRateState } from '../limits/rate-state.ts';
import { type ReplayReport, replayDecide } from '../replay/replay-decide.ts';
import { SchemaCompiler } from '../validation/compile.ts';
import { type ChainState, chainOf, controlsOf } from './chain.ts';
import { readingLedger } from './ledger-questions.ts';
import { loadRules } from './rules.ts';
import type { Settings } from './settings.ts';

/** Decides every recorded call of a data directory again, each by the policy set of its revision. Only reads. */
export function replayLedger(settings: Settings): ReplayReport {
  return readingLedger(settings, (database) =>
    replayDecide({
      decisions: eachDecision(database),
      principalOf: recordedPrincipal,
      chainOf: (revision) => {
        const texts = loadPolicy(database, revision);
        if (!texts) return undefined;
        return controlsOf(chainOf(loadRules(texts, 'policies'), stillState()));
      },
    }),
  );
}

/** State for controls that only decide: no clock that moves, no counter that counts. */
function stillState(): ChainState {
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  return {
    clock,
    rates: createRateState(),
    concurrency: createConcurrencyState(),
    budgets: createBudgetState({ clock, store: { load: () => [], put: () => {} }, onClockJump: () => {} }),
    schemas: new SchemaCompiler(),
    onSoftLimit: () => {},
  };
}
