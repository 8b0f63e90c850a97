import { once } from 'node:events';
import { cpuUsOf, median, startPart } from './part.ts';
import type { StreamLoad, StreamRound } from './stream-load.ts';

/** A proxy that passes notifications on, and how to reach it. */
export interface Streamer {
  readonly name: string;
  readonly pid: number | undefined;
  readonly load: StreamLoad;
}

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

const WARM_UP_ROUNDS = 2;

/** Asks each for the same streams in turn, round by round. */
export async function compareStreams(
  streamers: readonly Streamer[],
  plan: { readonly rounds: number; readonly calls: number },
): Promise<readonly StreamCost[]> {
  const runners = await Promise.all(
    streamers.map(async (streamer) => ({
      ...streamer,
      part: await startPart<string>('stream-load.ts', streamer.load),
      rounds: [] as (StreamRound & { readonly cpuUs: number })[],
    })),
  );
  for (let round = 0; round < WARM_UP_ROUNDS + plan.rounds; round += 1) {
    for (const { name, pid, part, rounds } of runners) {
      const beforeUs = cpuUsOf(pid);
      part.child.send(plan.calls);
      // `as`: stream-load.ts says nothing else after its first word.
      const [told] = (await once(part.child, 'message')) as [StreamRound];
      if (told.failures > 0) throw new Error(`${name}: ${told.failures} streams were not whole: ${told.failure}`);
      if (round >= WARM_UP_ROUNDS) rounds.push({ ...told, cpuUs: cpuUsOf(pid) - beforeUs });
    }
  }
  await Promise.all(runners.map(({ part }) => part.stop()));
  const first = runners[0]?.rounds ?? [];
  return runners.map(({ name, load, rounds }) => ({
    name,
    cpuUsPerNotice: median(rounds.map(({ cpuUs }) => cpuUs / plan.calls / load.notices)),
    ratio: median(rounds.map(({ cpuUs }, index) => cpuUs / (first[index]?.cpuUs ?? Number.NaN))),
    firstMs: median(rounds.map(({ firstMs }) => firstMs)),
    lastMs: median(rounds.map(({ lastMs }) => lastMs)),
  }));
}
