import { once } from 'node:events';
import type { AskedTool } from './asked-tool.ts';
import type { Round } from './load.ts';
import { cpuUsOf, median, type Part, startPart } from './part.ts';

/** One of the processes that are compared, and how to reach it. */
export interface Contestant {
  readonly name: string;
  readonly pid: number | undefined;
  readonly load: AskedTool;
}

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

/** Until the engine has compiled what is called often. */
const WARM_UP_ROUNDS = 3;

/** Calls each contestant in turn, round by round, so that what else the machine does falls on all of them. */
export async function compare(
  contestants: readonly Contestant[],
  plan: { readonly rounds: number; readonly calls: number },
): Promise<readonly Cost[]> {
  const runners = await Promise.all(
    contestants.map(async (contestant) => ({
      contestant,
      load: await startPart<string>('load.ts', contestant.load),
      rounds: [] as (Round & { readonly cpuUsPerCall: number })[],
    })),
  );
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    for (const { contestant, load } of runners) await runRound(contestant, load, plan.calls);
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const { contestant, load, rounds } of runners) {
      rounds.push(await runRound(contestant, load, plan.calls));
    }
  }
  await Promise.all(runners.map(({ load }) => load.stop()));
  const first = runners[0]?.rounds ?? [];
  return runners.map(({ contestant, rounds }) => ({
    name: contestant.name,
    cpuUsPerCall: median(rounds.map((round) => round.cpuUsPerCall)),
    ratio: median(rounds.map((round, index) => round.cpuUsPerCall / (first[index]?.cpuUsPerCall ?? Number.NaN))),
    callsPerSecond: median(rounds.map((round) => round.callsPerSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
  }));
}

async function runRound(
  { name, pid }: Contestant,
  load: Part<string>,
  calls: number,
): Promise<Round & { readonly cpuUsPerCall: number }> {
  const beforeUs = cpuUsOf(pid);
  load.child.send(calls);
  // `as`: load.ts says nothing else after its first word.
  const [round] = (await once(load.child, 'message')) as [Round];
  if (round.failures > 0) throw new Error(`${name}: ${round.failures} of ${calls} calls failed: ${round.failure}`);
  return { ...round, cpuUsPerCall: (cpuUsOf(pid) - beforeUs) / calls };
}
