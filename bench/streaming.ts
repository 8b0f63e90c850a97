import { byTurns, type Contestant, ratiosOf } from './by-turns.ts';
import { median } from './part.ts';
import type { StreamLoad, StreamRound } from './stream-load.ts';

/** Medians over the rounds of one of them. */
export interface StreamCost {
  readonly name: string;
  /** CPU of a whole call over the number of its notifications: the call itself is in it. */
  readonly cpuUsPerNotice: number;
  /** CPU against that of the first in the same round. */
  readonly ratio: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Asks each for the same streams in turn. */
export async function compareStreams(
  streamers: readonly Contestant<StreamLoad>[],
  plan: { readonly rounds: number; readonly calls: number },
): Promise<readonly StreamCost[]> {
  const all = await byTurns<StreamLoad, StreamRound>(streamers, { part: 'stream-load.ts', warmUpRounds: 2, ...plan });
  return all.map((rounds, index) => ({
    name: streamers[index]?.name ?? '',
    cpuUsPerNotice: median(rounds.map(({ cpuUsPerCall }) => cpuUsPerCall / (streamers[index]?.load.notices ?? 1))),
    ratio: median(ratiosOf(rounds, all[0] ?? [])),
    firstMs: median(rounds.map(({ firstMs }) => firstMs)),
    lastMs: median(rounds.map(({ lastMs }) => lastMs)),
  }));
}
