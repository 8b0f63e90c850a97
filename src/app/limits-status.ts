import { existsSync } from 'node:fs';
import { agentNameOf } from '../domain/agent-name.ts';
import { ProblemError } from '../domain/problem.ts';
import { askDaemon } from '../ingress/socket-client.ts';
import type { JsonValue } from '../lib/json.ts';
import { type BudgetState, createBudgetState } from '../limits/budget-state.ts';
import { loadBudgets } from '../limits/budget-table.ts';
import {
  type BudgetStatus,
  budgetStatus,
  type ConcurrencyStatus,
  liveStatus,
  type RateStatus,
} from '../limits/status.ts';
import { principalSubjects } from '../policy/authorize.ts';
import type { Registry } from '../registry/load.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import type { BrokerCore } from './compose.ts';
import { daemonSocketPath, isDaemonAbsent } from './daemon-client.ts';
import { readingLedger } from './ledger-questions.ts';
import { readRulesOnFile, unknownAgent } from './policy-questions.ts';
import type { Rules } from './rules.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';

/** How limits stand. */
export type LimitsAnswer = {
  /** False where no broker runs: then nobody counts rates and concurrency, and they are not in `limits`. */
  readonly running: boolean;
  readonly limits: readonly (RateStatus | ConcurrencyStatus | BudgetStatus)[];
};

/**
 * How every limit stands that concerns `agent`, or any declared agent: asked of the broker that counts, or where none
 * runs, read from what it left. @throws ProblemError when the agent is not declared, or files do not load.
 */
export async function limitsStatus(settings: Settings, agent?: string): Promise<LimitsAnswer> {
  const params = agent === undefined ? {} : { agent: agentNameOf(agent) };
  try {
    // `as`: the daemon is our own program, and `liveLimits` made it.
    return (await askDaemon(daemonSocketPath(settings), 'limits.status', params)) as unknown as LimitsAnswer;
  } catch (error) {
    if (!isDaemonAbsent(error)) throw error;
  }
  const { rules, registry } = readRulesOnFile(settings);
  const askers = askersOf({ rules, registry }, params.agent);
  return { running: false, limits: budgetStatus(rules.limits, askers, storedBudgets(settings)) };
}

/** What a broker answers who is asked how its limits stand. @throws ProblemError when the agent is not declared. */
export function liveLimits({ standing, counters, clock }: BrokerCore, agent?: string): JsonValue {
  const { rules, registry } = standing;
  const askers = askersOf({ rules, registry }, agent);
  const { rates, concurrency, budgets } = counters;
  const live = liveStatus(rules.limits, askers, { rates, concurrency, monotonicMs: clock.monotonicMs() });
  return { running: true, limits: [...live, ...budgetStatus(rules.limits, askers, budgets)] };
}

/** The subjects of one agent, or of each that is declared. */
function askersOf(
  { rules, registry }: { readonly rules: Pick<Rules, 'policySet'>; readonly registry: Registry },
  agent: string | undefined,
): readonly (readonly string[])[] {
  const agents = agent === undefined ? [...registry.agents.values()] : [registry.agents.get(agent)];
  return agents.map((declared) => {
    if (declared === undefined) {
      const known = { agents: [...registry.agents.keys()].map((name) => `agent:${name}`) };
      throw new ProblemError([unknownAgent(`agent:${agent}`, known)]);
    }
    const team = declared.team === undefined ? {} : { team: declared.team };
    return principalSubjects(rules.policySet, { id: `agent:${declared.name}`, ...team });
  });
}

/** Budgets as a broker left them. What was reserved when it ended stays used. */
function storedBudgets(settings: Settings): BudgetState {
  const rows = existsSync(databasePathOf(settings.data)) ? readingLedger(settings, loadBudgets) : [];
  return createBudgetState({ clock: systemClock, store: { load: () => rows, put: () => {} }, onClockJump: () => {} });
}
