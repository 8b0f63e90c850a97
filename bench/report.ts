import { cpus, totalmem } from 'node:os';
import type { DecisionCost } from './decision-cost.ts';
import type { Cost } from './proxy-cost.ts';
import type { HeldKb, SessionCost } from './session-cost.ts';
import type { StageShare } from './stage-cost.ts';
import type { StreamCost } from './streaming.ts';
import type { ListCost } from './tools-list.ts';
import type { HandOverCost } from './writer-channel.ts';

/** Everything that one run of the bench found out. */
export interface Findings {
  readonly plan: { readonly rounds: number; readonly calls: number; readonly connections: number };
  readonly costs: readonly Cost[];
  /** The same at a fixed rate in calls per second, whatever becomes of the calls before. */
  readonly fixed: { readonly costs: readonly Cost[]; readonly rate: number };
  readonly stages: readonly StageShare[];
  readonly decisions: readonly DecisionCost[];
  readonly list: ListCost;
  readonly streams: { readonly count: number; readonly pauseMs: number };
  readonly streamCosts: readonly StreamCost[];
  readonly sessions: SessionCost;
  readonly handOver: readonly HandOverCost[];
  readonly startMs: number;
  readonly idleMb: number;
  readonly loadedMb: number;
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const number = (value: number, digits = 0): string => value.toFixed(digits);

/** The findings as a page of Markdown; the same text goes to the terminal. */
export function performancePage(findings: Findings): string {
  const { list, sessions } = findings;
  return `# Performance

Reference. What a governed call costs beside a bare proxy, found out by \`npm run bench\` in one run on one machine. The bare proxy is
\`node:http\` and \`undici\` and parses and serialises the JSON both ways; it governs nothing. The broker has everything on:
key, Casbin with a condition, two rates, a budget in calls and money, both schemas, durable intent and outcome.
Both stand in front of the same tool server and run as processes of their own, without flags of the engine, as a user starts
them; their CPU is that of the whole process.

Machine: ${machine()}.

${callSections(findings)}
## A decision

Each agent has three roles of ten grants; what grows is everything that does not concern it. The sizes are asked by turns;
the ratio is the median of the rounds' own ratios.

${decisionTable(findings.decisions)}

## Progress

A call whose tool server sends ${findings.streams.count} notifications of progress: one, a pause of ${findings.streams.pauseMs} ms, the others at once, the
result. 4 connections; medians of the rounds, by turns. The CPU of the whole call is divided by its notifications.

${streamTable(findings.streamCosts)}

## Sessions

${sessions.sessions.toLocaleString('en')} sessions of 2025-11-25 of 20 agents at one time. What they hold is looked at after the engine has
cleared up; a KB is 1,024 bytes.

${sessionTable(sessions)}

${handOverSection(findings.handOver)}
## The rest

${row('What', 'Measured')}
${row('---', '---:')}
${row(`\`tools/list\`, ${list.tools} tools in ${list.pages} page${list.pages === 1 ? '' : 's'}, over HTTP`, `${number(list.listMs, 1)} ms`)}
${row('parsing it at the client, not in the above', `${number(list.parseMs, 1)} ms`)}
${row('CPU of the broker for it', `${number(list.cpuMs, 1)} ms`)}
${row('its first page', `${number(list.firstPageMs, 1)} ms`)}
${row('start until ready', `${number(findings.startMs)} ms`)}
${row('memory at rest', `${number(findings.idleMb)} MB`)}
${row('memory after all the calls above', `${number(findings.loadedMb)} MB`)}
`;
}

/** Cost of the way to the writer thread. */
export function handOverSection(costs: readonly HandOverCost[]): string {
  const lines = costs.map(({ entriesPerBatch, cpuUs: { shared, cloned, flat } }) =>
    row(`${entriesPerBatch}`, ...[shared, cloned, flat].map((us) => `${number(us, 2)} µs`)),
  );
  return `## The way to the writer thread

CPU of both threads per ledger entry of 1.2 KB, from the statement on the main thread to bound parameters on the writer
thread; no database. A governed call has two entries. The shared memory is that of \`src/storage/writer-channel.ts\`;
\`postMessage\` sends the statements as they are, or flat: one array with the parameters of the whole batch.

${row('Entries per batch', 'shared memory', '`postMessage`', '`postMessage`, flat')}
${row(...Array(4).fill('---:'))}
${lines.join('\n')}
`;
}

type CallFindings = Pick<Findings, 'plan' | 'costs' | 'fixed' | 'stages'>;

/** What calls cost, as fast as they go and at a fixed rate. */
export function callSections({ plan, costs, fixed, stages }: CallFindings): string {
  return `## A call

${plan.connections} connections, results of 2 KB: 1 KB as text and again as structured content. Medians of ${plan.rounds} rounds of
${plan.calls} calls each, by turns; the ratio is the median of the rounds' own ratios.

${callTable(costs)}

At ${fixed.rate} calls a second, sent when they are due whatever becomes of those before:

${fixedTable(fixed.costs)}

The CPU of a governed call by stage: its measured CPU, divided by the shares that a sampling profile of the main thread and
the times of the threads give in a run of its own. A function belongs to the stage of the code that called it.

${stageTable(stages, costs[1]?.cpuUsPerCall ?? Number.NaN)}
`;
}

function stageTable(stages: readonly StageShare[], cpuUs: number): string {
  const lines = stages.map(({ stage, share }) => row(stage, `${number(share * cpuUs, 1)} µs`));
  return [row('Stage', 'CPU per call'), row('---', '---:'), ...lines].join('\n');
}

function fixedTable(costs: readonly Cost[]): string {
  const lines = costs.map(({ name, p50Ms, p99Ms, addedP50Ms, addedP99Ms }) =>
    row(name, ...[p50Ms, addedP50Ms, p99Ms, addedP99Ms].map((ms) => `${number(ms, 2)} ms`)),
  );
  return [row('', 'p50', 'added', 'p99', 'added'), row('---', ...Array(4).fill('---:')), ...lines].join('\n');
}

function callTable(costs: readonly Cost[]): string {
  const lines = costs.map((cost) =>
    row(
      cost.name,
      `${number(cost.cpuUsPerCall)} µs`,
      number(cost.ratio, 2),
      `${number(cost.p50Ms, 2)} ms`,
      `${number(cost.p99Ms, 2)} ms`,
      number(cost.callsPerSecond),
    ),
  );
  return [
    row('', 'CPU per call', 'ratio', 'p50', 'p99', 'calls/s'),
    row('---', ...Array(5).fill('---:')),
    ...lines,
  ].join('\n');
}

function decisionTable(decisions: readonly DecisionCost[]): string {
  const lines = decisions.map(({ grants, firstUs, ratio, againUs, loadMs }) =>
    row(
      grants.toLocaleString('en'),
      `${number(firstUs, 2)} µs`,
      number(ratio, 2),
      `${number(againUs, 2)} µs`,
      `${number(loadMs)} ms`,
    ),
  );
  return [
    row('Grants', 'asked first', 'ratio', 'asked again', 'loading them'),
    row(...Array(5).fill('---:')),
    ...lines,
  ].join('\n');
}

function streamTable(costs: readonly StreamCost[]): string {
  const lines = costs.map((cost) =>
    row(
      cost.name,
      `${number(cost.cpuUsPerNotice, 1)} µs`,
      number(cost.ratio, 2),
      `${number(cost.firstMs, 1)} ms`,
      `${number(cost.lastMs, 1)} ms`,
    ),
  );
  return [
    row('', 'CPU per notification', 'ratio', 'first notification after', 'end after'),
    row('---', ...Array(4).fill('---:')),
    ...lines,
  ].join('\n');
}

function sessionTable({ idle, streaming, calls, callingMb }: SessionCost): string {
  const held = ({ liveKb, residentKb }: HeldKb): string =>
    `${number(liveKb, 1)} KB live, ${number(residentKb, 1)} KB resident`;
  return [
    row('What', 'Measured'),
    row('---', '---:'),
    row('an idle session', held(idle)),
    row('an idle session with an open stream', held(streaming)),
    row('all of them calling, each one call after the other', `${number(calls.callsPerSecond)} calls/s`),
    row('p50 and p99 of those calls', `${number(calls.p50Ms)} ms, ${number(calls.p99Ms)} ms`),
    row('memory of the broker after them', `${number(callingMb)} MB`),
  ].join('\n');
}

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'an unknown processor';
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${processors.length} cores, ${memoryGb} GB, Node ${process.versions.node}, ${process.platform}`;
}
