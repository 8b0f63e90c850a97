import { once } from 'node:events';
import { cpuUsOf, startPart } from './part.ts';

/** One of the processes that are compared, and what is sent to it. */
export interface Contestant<Load> {
  readonly name: string;
  readonly pid: number | undefined;
  readonly load: Load;
}

/** What every load tells of a round. */
interface Told {
  readonly failures: number;
  readonly failure: string;
}

export interface TurnsPlan {
  /** The file whose process sends the load: it says a first word, then one round for each number of calls it is told. */
  readonly part: string;
  /** Rounds that are not counted, until the engine has compiled what is called often. */
  readonly warmUpRounds: number;
  readonly rounds: number;
  /** Of one round. */
  readonly calls: number;
}

export type CountedRound<Round> = Round & { readonly cpuUsPerCall: number };

/** Loads each contestant in turn, round by round, so that what else the machine does falls on all of them. */
export async function byTurns<Load extends object, Round extends Told>(
  contestants: readonly Contestant<Load>[],
  plan: TurnsPlan,
): Promise<readonly (readonly CountedRound<Round>[])[]> {
  const runners = await Promise.all(
    contestants.map(async ({ name, pid, load }) => ({
      ...{ name, pid, rounds: [] as CountedRound<Round>[] },
      part: await startPart<string>(plan.part, load),
    })),
  );
  for (let round = 0; round < plan.warmUpRounds + plan.rounds; round += 1) {
    for (const { name, pid, part, rounds } of runners) {
      const beforeUs = cpuUsOf(pid);
      part.child.send(plan.calls);
      // `as`: a load says nothing else after its first word.
      const [told] = (await once(part.child, 'message')) as [Round];
      if (told.failures > 0) throw new Error(`${name}: ${told.failures} of ${plan.calls} failed: ${told.failure}`);
      if (round >= plan.warmUpRounds) rounds.push({ ...told, cpuUsPerCall: (cpuUsOf(pid) - beforeUs) / plan.calls });
    }
  }
  await Promise.all(runners.map(({ part }) => part.stop()));
  return runners.map(({ rounds }) => rounds);
}

/** CPU of each round against that of the first contestant in the same round. */
export function ratiosOf(
  rounds: readonly CountedRound<object>[],
  first: readonly CountedRound<object>[],
): readonly number[] {
  return rounds.map(({ cpuUsPerCall }, index) => cpuUsPerCall / (first[index]?.cpuUsPerCall ?? Number.NaN));
}
