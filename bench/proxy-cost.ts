import type { AskedTool } from './asked-tool.ts';
import { byTurns, type Contestant, ratiosOf } from './by-turns.ts';
import type { Round } from './load.ts';
import { median } from './part.ts';

/** Medians over the rounds of one contestant. */
export interface Cost {
  readonly name: string;
  readonly cpuUsPerCall: number;
  /** CPU against that of the first contestant in the same round. */
  readonly ratio: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls each contestant in turn. */
export async function compare(
  contestants: readonly Contestant<AskedTool>[],
  plan: { readonly rounds: number; readonly calls: number },
): Promise<readonly Cost[]> {
  const all = await byTurns<AskedTool, Round>(contestants, { part: 'load.ts', warmUpRounds: 3, ...plan });
  return all.map((rounds, index) => ({
    name: contestants[index]?.name ?? '',
    cpuUsPerCall: median(rounds.map((round) => round.cpuUsPerCall)),
    ratio: median(ratiosOf(rounds, all[0] ?? [])),
    callsPerSecond: median(rounds.map((round) => round.callsPerSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
  }));
}
