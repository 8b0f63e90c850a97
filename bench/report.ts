import { cpus, totalmem } from 'node:os';
import type { DecisionCost } from './decision-cost.ts';
import type { Cost } from './proxy-cost.ts';
import type { HeldKb, SessionCost } from './session-cost.ts';
import type { StageShare } from './stage-cost.ts';
import type { StreamCost } from './streaming.ts';
import type { ListCost } from './tools-list.ts';
import type { HandOverCost } from './writer-channel.ts';

/** Results of one run of the bench. */
export interface Findings {
  readonly plan: { readonly rounds: number; readonly calls: number; readonly connections: number };
  readonly costs: readonly Cost[];
  /** The same at a fixed rate, in calls per second. */
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

/** The results as a Markdown page; the terminal gets the same text. */
export function performancePage(findings: Findings): string {
  const { list, sessions } = findings;
  return `# Performance

Reference. Cost of a governed call compared with a bare proxy, measured by \`npm run bench\` in one run on one machine.

The bare proxy uses \`node:http\` and \`undici\`, parses and serialises the JSON both ways, and governs nothing. The broker
authenticates a key, evaluates a Casbin policy with a condition, two rates and a budget in calls and money, validates both
schemas, and writes a durable intent and outcome. Both run in front of the same tool server, as processes of their own and
without flags of Node, as a user starts them. Their CPU is that of the whole process.

Machine: ${machine()}.

${callSections(findings)}
## A decision

Each agent has three roles of ten grants; only the grants of other agents grow. The sizes alternate. The ratio is the
median of the ratios of the rounds.

${decisionTable(findings.decisions)}

## Progress

A call whose tool server sends ${findings.streams.count} progress notifications: one, a pause of ${findings.streams.pauseMs} ms, the others at once, then the
result. 4 connections; medians of alternating rounds. The CPU of the whole call is divided by its notifications.

${streamTable(findings.streamCosts)}

## Sessions

${sessions.sessions.toLocaleString('en')} sessions of 2025-11-25 of 20 agents at one time. Memory is measured after a garbage collection; a KB is
1,024 bytes.

${sessionTable(sessions)}

${handOverSection(findings.handOver)}
## The rest

${row('What', 'Measured')}
${row('---', '---:')}
${row(`\`tools/list\`, ${list.tools} tools in ${list.pages} page${list.pages === 1 ? '' : 's'}, over HTTP`, `${number(list.listMs, 1)} ms`)}
${row('parsing that list at the client, not included', `${number(list.parseMs, 1)} ms`)}
${row('CPU of the broker for that list', `${number(list.cpuMs, 1)} ms`)}
${row('the first page of that list', `${number(list.firstPageMs, 1)} ms`)}
${row('startup until ready', `${number(findings.startMs)} ms`)}
${row('idle memory', `${number(findings.idleMb)} MB`)}
${row('memory after the calls of the first section', `${number(findings.loadedMb)} MB`)}
`;
}

/** Cost of sending entries to the writer thread. */
export function handOverSection(costs: readonly HandOverCost[]): string {
  const lines = costs.map(({ entriesPerBatch, cpuUs: { shared, cloned, flat } }) =>
    row(`${entriesPerBatch}`, ...[shared, cloned, flat].map((us) => `${number(us, 2)} µs`)),
  );
  return `## Sending entries to the writer thread

CPU of both threads for one ledger entry of 1.2 KB, from the statement on the main thread to bound parameters on the writer
thread, without a database. A governed call writes two entries. The shared memory is that of \`src/storage/writer-channel.ts\`;
\`postMessage\` sends the statements as they are, or flat: one array with the parameters of the whole batch.

${row('Entries per batch', 'shared memory', '`postMessage`', '`postMessage`, flat')}
${row(...Array(4).fill('---:'))}
${lines.join('\n')}
`;
}

type CallFindings = Pick<Findings, 'plan' | 'costs' | 'fixed' | 'stages'>;

/** Cost of calls, at full speed and at a fixed rate. */
export function callSections({ plan, costs, fixed, stages }: CallFindings): string {
  return `## A call

${plan.connections} connections, results of 2 KB: 1 KB as text and again as structured content. Medians of ${plan.rounds} alternating rounds of
${plan.calls} calls each. The ratio is the median of the ratios of the rounds.

${callTable(costs)}

At ${fixed.rate} calls per second, sent without waiting for earlier calls:

${fixedTable(fixed.costs)}

CPU of a governed call by stage: the CPU measured above, divided by the shares of a separate run with a sampling profile of
the serving thread and the CPU times of the others. A library function belongs to the stage of the code that called it.

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
    row('Grants', 'new request', 'ratio', 'same request again', 'loading'),
    row(...Array(5).fill('---:')),
    ...lines,
  ].join('\n');
}

function streamTable(costs: readonly StreamCost[]): string {
  const lines = costs.map((cost) =>
    row(
      cost.name,
      `${number(cost.cpuUsPerNotification, 1)} µs`,
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
    row('calls of all sessions together, one at a time in each', `${number(calls.callsPerSecond)} calls/s`),
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
