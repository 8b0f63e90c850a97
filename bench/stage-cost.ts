import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGoverned } from './governed.ts';
import type { CallLoad } from './load.ts';
import { startPart } from './part.ts';

/** Share of one stage in the CPU of a call. */
export interface StageShare {
  readonly stage: string;
  /** 0 to 1; the sum over all stages is 1. */
  readonly share: number;
}

/** Stages by the folder of the running code or of its caller. `lib` counts as part of its caller. */
const STAGE_OF_FOLDER: Readonly<Record<string, string>> = {
  identity: 'authenticate',
  ingress: 'read the request and write the reply: MCP',
  limits: 'rate, concurrency, budget',
  ledger: 'record: print, hash, commit',
  storage: 'record: send to the writer thread',
  policy: 'authorize',
  telemetry: 'log',
  upstream: 'dispatch: MCP and `undici`',
  validation: 'validate arguments and result',
};
const PIPELINE = 'pipeline';
const HTTP = '`node:http`, sockets and streams';
const ENGINE = 'engine and kernel, outside of functions';
const GC = 'garbage collection on the thread that serves';
const WRITER = 'writer thread: SQLite, sync to disk';
const HELPERS = 'helper threads: garbage collection, compilation';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  /** In microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Runs a broker with the sampling profiler of Node and divides the CPU of its calls among the stages. */
export async function measureStages(
  upstreamUrl: string,
  { connections, calls }: { readonly connections: number; readonly calls: number },
): Promise<readonly StageShare[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sen-profile-'));
  const engine = ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=500'];
  const governed = await startGoverned(upstreamUrl, { engine });
  try {
    const { served, key } = governed;
    const load: CallLoad = {
      connections,
      origin: served.url,
      tool: 'crm__lookup',
      headers: { authorization: `Bearer ${key}` },
    };
    const part = await startPart<string>('load.ts', load);
    const round = async (): Promise<void> => {
      part.child.send(calls);
      await once(part.child, 'message');
    };
    // Until hot functions are compiled.
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await round();
    const beforeNs = threadTimesNs(served.child.pid);
    const fromUs = monotonicUs();
    await round();
    const toUs = monotonicUs();
    const afterNs = threadTimesNs(served.child.pid);
    await part.stop();
    await served.stop();
    return shares(profileOf(dir), [fromUs, toUs], usedBy(beforeNs, afterNs));
  } finally {
    await governed.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** CPU time of each thread, in nanoseconds. Linux only. */
function threadTimesNs(pid: number | undefined): ReadonlyMap<string, number> {
  const timeOf = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return new Map(readdirSync(`/proc/${pid}/task`).map((thread) => [thread, timeOf(thread)]));
}

interface Used {
  readonly servingNs: number;
  readonly writerNs: number;
  readonly helpersNs: number;
}

/** Takes the busiest thread as the one that serves, and the next as the writer. */
function usedBy(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Used {
  const used = (thread: string): number => (after.get(thread) ?? 0) - (before.get(thread) ?? 0);
  const [servingNs = 0, writerNs = 0, ...helpers] = [...after.keys()].map(used).sort((one, other) => other - one);
  return { servingNs, writerNs, helpersNs: helpers.reduce((sum, ns) => sum + ns, 0) };
}

/** The profile of the thread that serves: the first that the program starts. */
function profileOf(dir: string): Profile {
  // CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile
  const file = readdirSync(dir).find((name) => name.split('.')[4] === '1') ?? '';
  // `as`: Node writes nothing else.
  return JSON.parse(readFileSync(join(dir, file), 'utf8')) as Profile;
}

function shares(profile: Profile, [fromUs, toUs]: readonly [number, number], used: Used): readonly StageShare[] {
  const stageOf = stagesByNode(profile);
  const sampledUs = new Map<string, number>();
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const deltaUs = profile.timeDeltas[index] ?? 0;
    atUs += deltaUs;
    const stage = stageOf.get(id);
    if (stage === undefined || atUs < fromUs || atUs > toUs) continue;
    sampledUs.set(stage, (sampledUs.get(stage) ?? 0) + deltaUs);
  }
  const mainUs = [...sampledUs.values()].reduce((sum, us) => sum + us, 0);
  const totalNs = used.servingNs + used.writerNs + used.helpersNs;
  const main = [...sampledUs].map(([stage, us]) => ({ stage, share: ((us / mainUs) * used.servingNs) / totalNs }));
  main.sort((one, other) => other.share - one.share);
  const others = [
    { stage: WRITER, share: used.writerNs / totalNs },
    { stage: HELPERS, share: used.helpersNs / totalNs },
  ];
  return [...main, ...others];
}

/** Stage of each node of a profile; nodes of an idle thread have none. */
function stagesByNode({ nodes }: Profile): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, string>();
  const visit = (node: ProfileNode, above: string | undefined): void => {
    const own = ownStage(node) ?? above;
    if (node.callFrame.functionName !== '(idle)') stages.set(node.id, own ?? ENGINE);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) visit(child, own);
    }
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, undefined);
  return stages;
}

function ownStage({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(garbage collector)') return GC;
  if (functionName === '(program)') return ENGINE;
  const folder = /\/dist\/(\w+)\//.exec(url.includes('/node_modules/undici/') ? '' : url)?.[1];
  if (folder !== undefined) return folder === 'lib' ? undefined : (STAGE_OF_FOLDER[folder] ?? PIPELINE);
  if (url.includes('/undici/')) return STAGE_OF_FOLDER.upstream;
  return /^node:(?:_?http|net|internal\/(?:streams|stream_base|http))/.test(url) ? HTTP : undefined;
}
