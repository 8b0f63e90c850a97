import { restorePrincipal } from '../identity/recorded-principal.ts';
import { readPolicyArchive } from '../ledger/policy-archive.ts';
import { iterateDecisions } from '../ledger/query.ts';
import { createBudgetState } from '../limits/budget-state.ts';
import { createConcurrencyState } from '../limits/concurrency-state.ts';
import { createRateState } from '../limits/rate-state.ts';
import { type ReplayReport, replayDecide } from '../replay/replay-decide.ts';
import { SchemaCompiler } from '../validation/compile.ts';
import { allControls, type ControlState, controlLists } from './chain.ts';
import { readLedger } from './ledger-questions.ts';
import { loadPolicyBundle } from './rules.ts';
import type { Settings } from './settings.ts';

/** Decides every recorded call of a data directory again, each by the policy set of its revision. Only reads. */
export function replayLedger(settings: Settings): ReplayReport {
  return readLedger(settings, (database) =>
    replayDecide({
      decisions: iterateDecisions(database),
      principalOf: restorePrincipal,
      controlsFor: (revision) => {
        const texts = readPolicyArchive(database, revision);
        if (!texts) return undefined;
        return allControls(controlLists(loadPolicyBundle(texts, 'policies'), frozenState()));
      },
    }),
  );
}

/** State for controls that only decide: no clock that moves, no counter that counts. */
function frozenState(): ControlState {
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
