import { byTurns, type Candidate, ratiosOf } from './by-turns.ts';
import type { CallLoad, Round } from './load.ts';
import { median } from './part.ts';

/** Medians over the rounds of one candidate. */
export interface Cost {
  readonly name: string;
  readonly cpuUsPerCall: number;
  /** CPU divided by that of the first candidate in the same round. */
  readonly ratio: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Latency above that of the first candidate in the same round. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
}

/** Calls the candidates alternately. */
export async function compare(
  candidates: readonly Candidate<CallLoad>[],
  plan: { readonly rounds: number; readonly calls: number; readonly warmUpRounds?: number },
): Promise<readonly Cost[]> {
  const all = await byTurns<CallLoad, Round>(candidates, { part: 'load.ts', warmUpRounds: 3, ...plan });
  return all.map((rounds, index) => ({
    name: candidates[index]?.name ?? '',
    cpuUsPerCall: median(rounds.map((round) => round.cpuUsPerCall)),
    ratio: median(ratiosOf(rounds, all[0] ?? [])),
    callsPerSecond: median(rounds.map((round) => round.callsPerSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
    addedP50Ms: median(rounds.map((round, turn) => round.p50Ms - (all[0]?.[turn]?.p50Ms ?? Number.NaN))),
    addedP99Ms: median(rounds.map((round, turn) => round.p99Ms - (all[0]?.[turn]?.p99Ms ?? Number.NaN))),
  }));
}
