import { once } from 'node:events';
import { cpuUsOf, startPart } from './part.ts';

/** A process to compare, and the load for it. */
export interface Candidate<Load> {
  readonly name: string;
  readonly pid: number | undefined;
  readonly load: Load;
}

/** Result of one round of any load. */
interface RoundResult {
  readonly failures: number;
  readonly failure: string;
}

export interface TurnsPlan {
  /** File that sends the load. It sends one message when it is ready, then one result for each number of calls it gets. */
  readonly part: string;
  /** Rounds that are not counted, until the engine has compiled hot functions. */
  readonly warmUpRounds: number;
  readonly rounds: number;
  /** Calls of one round. */
  readonly calls: number;
}

export type CountedRound<Round> = Round & { readonly cpuUsPerCall: number };

/** Loads the candidates alternately, round by round, so that other load on the machine falls on all of them. */
export async function byTurns<Load extends object, Round extends RoundResult>(
  candidates: readonly Candidate<Load>[],
  plan: TurnsPlan,
): Promise<readonly (readonly CountedRound<Round>[])[]> {
  const runners = await Promise.all(
    candidates.map(async ({ name, pid, load }) => ({
      name,
      pid,
      rounds: [] as CountedRound<Round>[],
      part: await startPart<string>(plan.part, load),
    })),
  );
  for (let round = 0; round < plan.warmUpRounds + plan.rounds; round += 1) {
    for (const { name, pid, part, rounds } of runners) {
      const beforeUs = cpuUsOf(pid);
      part.child.send(plan.calls);
      // `as`: a load sends nothing else after its first message.
      const [result] = (await once(part.child, 'message')) as [Round];
      if (result.failures > 0)
        throw new Error(`${name}: ${result.failures} of ${plan.calls} failed: ${result.failure}`);
      if (round >= plan.warmUpRounds) rounds.push({ ...result, cpuUsPerCall: (cpuUsOf(pid) - beforeUs) / plan.calls });
    }
  }
  await Promise.all(runners.map(({ part }) => part.stop()));
  return runners.map(({ rounds }) => rounds);
}

/** CPU of each round divided by that of the first candidate in the same round. */
export function ratiosOf(
  rounds: readonly CountedRound<object>[],
  first: readonly CountedRound<object>[],
): readonly number[] {
  return rounds.map(({ cpuUsPerCall }, index) => cpuUsPerCall / (first[index]?.cpuUsPerCall ?? Number.NaN));
}
