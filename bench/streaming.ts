import { byTurns, type Candidate, ratiosOf } from './by-turns.ts';
import { median } from './part.ts';
import type { StreamLoad, StreamRound } from './stream-load.ts';

/** Medians over the rounds of one candidate. */
export interface StreamCost {
  readonly name: string;
  /** CPU of a whole call divided by the number of its notifications. */
  readonly cpuUsPerNotification: number;
  /** CPU divided by that of the first candidate in the same round. */
  readonly ratio: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Requests the same streams from the candidates alternately. */
export async function compareStreams(
  candidates: readonly Candidate<StreamLoad>[],
  plan: { readonly rounds: number; readonly calls: number },
): Promise<readonly StreamCost[]> {
  const all = await byTurns<StreamLoad, StreamRound>(candidates, { part: 'stream-load.ts', warmUpRounds: 2, ...plan });
  return all.map((rounds, index) => ({
    name: candidates[index]?.name ?? '',
    cpuUsPerNotification: median(
      rounds.map(({ cpuUsPerCall }) => cpuUsPerCall / (candidates[index]?.load.notifications ?? 1)),
    ),
    ratio: median(ratiosOf(rounds, all[0] ?? [])),
    firstMs: median(rounds.map(({ firstMs }) => firstMs)),
    lastMs: median(rounds.map(({ lastMs }) => lastMs)),
  }));
}
