import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Governed } from './governed.ts';
import { median, type Part, residentMbOf, startPart } from './part.ts';
import type { SessionCommand, SessionLoad, SessionResults } from './session-load.ts';

/** Cost of legacy sessions that are open at the same time. A KB is 1,024 bytes. */
export interface SessionCost {
  readonly sessions: number;
  readonly idle: HeldKb;
  /** Sessions with an open stream, which needs a connection of its own. */
  readonly streaming: HeldKb;
  /** Every session calls at the same time, one call after the other. */
  readonly calls: Pick<SessionResults, 'callsPerSecond' | 'p50Ms' | 'p99Ms'>;
  readonly callingMb: number;
}

/** Memory of one session: live objects of the engine, and the growth of the process, which is less exact. */
export interface HeldKb {
  readonly liveKb: number;
  readonly residentKb: number;
}

const SETTLE_MS = 1_000;

/** Opens and ends the sessions repeatedly. The first rounds warm up, so that later growth comes from the sessions. */
export async function measureSessions(
  load: SessionLoad,
  { governed, rounds, callsEach }: { readonly governed: Governed; readonly rounds: number; readonly callsEach: number },
): Promise<SessionCost> {
  const part = await startPart<string>('session-load.ts', load);
  const plan = { governed, rounds, sessions: load.sessions };
  const idle = await growth(part, { ...plan, streams: false });
  const streaming = await growth(part, { ...plan, streams: true });
  await perform(part, { act: 'open', streams: false });
  await perform(part, { act: 'call', each: 1 });
  const calls = await perform(part, { act: 'call', each: callsEach });
  const callingMb = residentMbOf(governed.served.child.pid);
  await part.stop();
  return { sessions: load.sessions, idle, streaming, calls, callingMb };
}

const WARM_UP_ROUNDS = 2;

async function growth(
  part: Part<string>,
  plan: {
    readonly governed: Governed;
    readonly rounds: number;
    readonly streams: boolean;
    readonly sessions: number;
  },
): Promise<HeldKb> {
  const live: number[] = [];
  const resident: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + plan.rounds; round += 1) {
    await wait(SETTLE_MS);
    const before = await plan.governed.memory();
    await perform(part, { act: 'open', streams: plan.streams });
    await wait(SETTLE_MS);
    const open = await plan.governed.memory();
    await perform(part, { act: 'end' });
    if (round < WARM_UP_ROUNDS) continue;
    live.push((open.liveBytes - before.liveBytes) / 1_024 / plan.sessions);
    resident.push((open.rssBytes - before.rssBytes) / 1_024 / plan.sessions);
  }
  return { liveKb: median(live), residentKb: median(resident) };
}

async function perform(part: Part<string>, act: SessionCommand): Promise<SessionResults> {
  part.child.send(act);
  // `as`: session-load.ts sends nothing else after its first message.
  const [done] = (await once(part.child, 'message')) as [SessionResults];
  if (done.failures > 0) throw new Error(`${act.act}: ${done.failures} failed: ${done.failure}`);
  return done;
}
