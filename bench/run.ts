// Measures and prints. --write also writes docs/reference/performance.md, --quick shortens everything, --installed also
// measures the package, installed into an empty directory, --calls measures calls only, and --writer only the cost
// of sending entries to the writer thread.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Package } from '../test/fixtures/programs/installed-package.ts';
import type { Candidate } from './by-turns.ts';
import type { DecisionCost } from './decision-cost.ts';
import { type Governed, startGoverned } from './governed.ts';
import type { CallLoad } from './load.ts';
import { type Part, residentMbOf, startPart } from './part.ts';
import { compare } from './proxy-cost.ts';
import { callSections, handOverSection, performancePage } from './report.ts';
import { measureSessions, type SessionCost } from './session-cost.ts';
import { measureStages } from './stage-cost.ts';
import { compareStreams, type StreamCost } from './streaming.ts';
import { type ListCost, measureList } from './tools-list.ts';
import type { HandOverCost } from './writer-channel.ts';

type Listening = { readonly port: number };

const quick = process.argv.includes('--quick');
const plan = quick ? { rounds: 3, calls: 2_000 } : { rounds: 9, calls: 10_000 };
const fixedPlan = quick ? { rounds: 3, calls: 600, warmUpRounds: 0 } : { rounds: 7, calls: 3_000, warmUpRounds: 0 };
const connections = 16;
/** Rate of the latency measurement: a tenth of what one processor can do, so that no call queues. */
const FIXED_RATE = 300;
/** Progress notifications of each streamed call, and the pause of the tool server after the first. */
const streams = { count: 200, pauseMs: 100 };
/** Time until the memory of an idle broker is stable. */
const SETTLE_MS = 3_000;

const originOf = ({ said }: Part<Listening>): string => `http://127.0.0.1:${said.port}`;

async function measureCalls() {
  const upstream = await startPart<Listening>('upstream.ts', { tools: 1 });
  const bare = await startPart<Listening>('bare-proxy.ts', { origin: originOf(upstream) });
  const governed: Governed = await startGoverned(`${originOf(upstream)}/mcp`);
  const installed = process.argv.includes('--installed') ? await startInstalled(upstream) : undefined;
  try {
    await wait(SETTLE_MS);
    const idleMb = residentMbOf(governed.served.child.pid);
    const candidates: readonly Candidate<CallLoad>[] = [
      { name: 'bare proxy', pid: bare.child.pid, load: { ...NO_HEADERS, origin: originOf(bare), tool: 'lookup' } },
      candidateOf('Seneschal', governed),
      ...(installed === undefined ? [] : [candidateOf('Seneschal, installed', installed)]),
    ];
    const costs = await compare(candidates, plan);
    const loadedMb = residentMbOf(governed.served.child.pid);
    const atRate = candidates.map((one) => ({ ...one, load: { ...one.load, callsPerSecond: FIXED_RATE } }));
    const fixedCosts = await compare(atRate, fixedPlan);
    const stages = await measureStages(`${originOf(upstream)}/mcp`, { connections, calls: plan.calls });
    return {
      costs,
      stages,
      fixed: { costs: fixedCosts, rate: FIXED_RATE },
      idleMb,
      startMs: governed.startMs,
      loadedMb,
    };
  } finally {
    await Promise.all([governed.close(), installed?.close(), bare.stop()]);
    await upstream.stop();
  }
}

const NO_HEADERS = { connections, headers: {} };

function candidateOf(name: string, { served, key }: Governed): Candidate<CallLoad> {
  const headers = { authorization: `Bearer ${key}` };
  return { name, pid: served.child.pid, load: { connections, headers, origin: served.url, tool: 'crm__lookup' } };
}

/** Starts a broker from the package, installed as a user does. */
async function startInstalled(upstream: Part<Listening>): Promise<Governed> {
  const made = new Package();
  const installed = await made.install((await made.pack()).file, undefined);
  if ('unreachable' in installed) throw new Error(`the package cannot be installed: ${installed.unreachable}`);
  const governed = await startGoverned(`${originOf(upstream)}/mcp`, installed);
  return {
    ...governed,
    close: async () => {
      await governed.close();
      made.close();
    },
  };
}

async function measureDecisions(): Promise<readonly DecisionCost[]> {
  const sizes = [100, 10_000, 100_000];
  const work = { rounds: quick ? 15 : 101, decisions: 500 };
  const part = await startPart<readonly DecisionCost[]>('decision-cost.ts', { sizes, ...work });
  await part.stop();
  return part.said;
}

async function measureHandOver(): Promise<readonly HandOverCost[]> {
  const work = quick ? { rounds: 3, entries: 5_000 } : { rounds: 15, entries: 40_000 };
  const part = await startPart<readonly HandOverCost[]>('writer-channel.ts', { sizes: [1, 8, 32], ...work });
  await part.stop();
  return part.said;
}

async function measureTools(): Promise<ListCost> {
  const upstream = await startPart<Listening>('upstream.ts', { tools: 5_000 });
  const governed = await startGoverned(`${originOf(upstream)}/mcp`);
  try {
    const { served, key } = governed;
    return await measureList({ origin: served.url, key, pid: served.child.pid }, quick ? 20 : 100);
  } finally {
    await governed.close();
    await upstream.stop();
  }
}

async function measureStreams(): Promise<readonly StreamCost[]> {
  const upstream = await startPart<Listening>('upstream.ts', { tools: 1, notifications: streams });
  const bare = await startPart<Listening>('bare-proxy.ts', { origin: originOf(upstream) });
  const governed = await startGoverned(`${originOf(upstream)}/mcp`);
  const load = { connections: 4, headers: {}, notifications: streams.count };
  const headers = { authorization: `Bearer ${governed.key}` };
  try {
    return await compareStreams(
      [
        { name: 'bare proxy', pid: bare.child.pid, load: { ...load, origin: originOf(bare), tool: 'lookup' } },
        {
          name: 'Seneschal',
          pid: governed.served.child.pid,
          load: { ...load, origin: governed.served.url, tool: 'crm__lookup', headers },
        },
      ],
      quick ? { rounds: 3, calls: 100 } : { rounds: 7, calls: 400 },
    );
  } finally {
    await Promise.all([governed.close(), bare.stop()]);
    await upstream.stop();
  }
}

async function measureManySessions(): Promise<SessionCost> {
  const upstream = await startPart<Listening>('upstream.ts', { tools: 1 });
  // One agent may hold 64 sessions.
  const agents = Array.from({ length: 20 }, (_, index) => `bench-${index}`);
  const governed = await startGoverned(`${originOf(upstream)}/mcp`, { agents, probed: true });
  try {
    const load = { origin: governed.served.url, keys: governed.keys, sessions: 1_000, tool: 'crm__lookup' };
    return await measureSessions(load, { governed, rounds: quick ? 3 : 7, callsEach: quick ? 5 : 20 });
  } finally {
    await governed.close();
    await upstream.stop();
  }
}

if (process.argv.includes('--writer')) {
  process.stdout.write(handOverSection(await measureHandOver()));
  process.exit();
}
const calls = await measureCalls();
const callPlan = { ...plan, connections };
if (process.argv.includes('--calls')) {
  process.stdout.write(callSections({ plan: callPlan, ...calls }));
  process.exit();
}
const decisions = await measureDecisions();
const list = await measureTools();
const streamCosts = await measureStreams();
const sessions = await measureManySessions();
const handOver = await measureHandOver();
const page = performancePage({
  plan: callPlan,
  ...calls,
  decisions,
  list,
  streams,
  streamCosts,
  sessions,
  handOver,
});
process.stdout.write(page);
if (process.argv.includes('--write')) {
  writeFileSync(resolve(import.meta.dirname, '../docs/reference/performance.md'), page);
}
