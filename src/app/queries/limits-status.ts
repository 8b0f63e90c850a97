import { existsSync } from 'node:fs';
import { parseAgentName } from '../../domain/principal.ts';
import { ProblemError } from '../../domain/problem.ts';
import { sendAdminRequest } from '../../ingress/socket/connect.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { type BudgetState, createBudgetState } from '../../limits/budget/state.ts';
import { loadBudgets } from '../../limits/budget/store.ts';
import {
  type BudgetStatus,
  budgetStatus,
  type ConcurrencyStatus,
  liveStatus,
  type RateStatus,
} from '../../limits/status.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import type { Registry } from '../../registry/load.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import type { BrokerCore } from '../compose.ts';
import { daemonSocketPath, isDaemonAbsent } from '../runtime/daemon-socket.ts';
import type { PolicyBundle } from '../runtime/policy-bundle.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';
import { readLedger } from './ledger.ts';
import { readPolicyFiles, unknownAgent } from './policy.ts';

/** Usage of limits. */
export type LimitsReport = {
  /** False if no broker runs: then `limits` has budgets only, because rates and concurrency are counted in memory. */
  readonly running: boolean;
  readonly limits: readonly (RateStatus | ConcurrencyStatus | BudgetStatus)[];
};

/**
 * Usage of every limit of `agent`, or of all declared agents: from the running broker, or if none runs, from the data
 * directory. @throws ProblemError when the agent is not declared, or files do not load.
 */
export async function limitsStatus(settings: Settings, agent?: string): Promise<LimitsReport> {
  const params = agent === undefined ? {} : { agent: parseAgentName(agent) };
  try {
    // `as`: the daemon is our own program, and `liveLimits` made it.
    return (await sendAdminRequest(daemonSocketPath(settings), 'limits.status', params)) as unknown as LimitsReport;
  } catch (error) {
    if (!isDaemonAbsent(error)) throw error;
  }
  const { rules, registry } = readPolicyFiles(settings);
  const subjects = subjectsByAgent({ rules, registry }, params.agent);
  return { running: false, limits: budgetStatus(rules.limits, subjects, storedBudgets(settings)) };
}

/** Usage of the limits of a running broker. @throws ProblemError when the agent is not declared. */
export function liveLimits({ snapshots, counters, clock }: BrokerCore, agent?: string): JsonValue {
  const { rules, registry } = snapshots;
  const subjects = subjectsByAgent({ rules, registry }, agent);
  const { rates, concurrency, budgets } = counters;
  const live = liveStatus(rules.limits, subjects, { rates, concurrency, monotonicMs: clock.monotonicMs() });
  return { running: true, limits: [...live, ...budgetStatus(rules.limits, subjects, budgets)] };
}

/** Subjects of one agent, or of each declared agent. */
function subjectsByAgent(
  { rules, registry }: { readonly rules: Pick<PolicyBundle, 'policySet'>; readonly registry: Registry },
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

/** Budgets that the last broker stored. Reservations that were open when it ended count as used. */
function storedBudgets(settings: Settings): BudgetState {
  const rows = existsSync(databasePathOf(settings.data)) ? readLedger(settings, loadBudgets) : [];
  return createBudgetState({ clock: systemClock, store: { load: () => rows, put: () => {} }, onClockJump: () => {} });
}
