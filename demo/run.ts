// Scripted agents call tools through a broker, and each call ends for a different reason. Prints each call, its result
// and its ledger entry. Exits with 1 if a call ends in an unexpected way.
import { Agent, type CallResult } from './agent.ts';
import { Broker } from './broker.ts';
import { STEPS, type Step } from './steps.ts';

const INDENT = ' '.repeat(11);

/** The `call.refused` and `call.closed` lines of the ledger, oldest first, without number, time, duration and id. */
function endings(ledger: string): string[] {
  return ledger
    .split('\n')
    .filter((line) => / call\.(?:refused|closed) /.test(line))
    .map((line) => line.replace(/^\d+ +\S+ +/, '').replace(/(?: \d+ ms)? \S+$/, ''))
    .map((line) => line.replaceAll(/ +/g, ' '))
    .reverse();
}

/** Makes all calls of a step. The last result counts. */
async function callsOf({ tool, args, times = 1 }: Step, agent: Agent): Promise<readonly CallResult[]> {
  const results: CallResult[] = [];
  for (let turn = 1; turn <= times; turn += 1) results.push(await agent.call(tool, args));
  return results;
}

/** Prints a step. Returns true if it ended as expected. */
function show(step: Step, results: readonly CallResult[], lines: readonly string[]): boolean {
  const { shows, tool, args, times = 1, ends, agentSees = ends } = step;
  const last = results.at(-1);
  console.log(`${shows.padEnd(INDENT.length)}${tool} ${JSON.stringify(args)}${times > 1 ? ` × ${times}` : ''}`);
  console.log(`${INDENT}→ ${last?.text.replace(/resets .*/, 'resets …')}`);
  console.log(`${INDENT}${lines.at(-1)}`);
  const expected = [...Array.from({ length: times - 1 }, () => 'completed'), ends];
  const recorded = lines.length === times && lines.every((line, at) => line.split(' ').includes(expected[at] ?? ''));
  const isRight = recorded && last?.status === agentSees;
  if (!isRight) console.error(`expected ${ends} in the ledger and ${agentSees} in the result`);
  return isRight;
}

async function demonstrate(broker: Broker): Promise<boolean> {
  await broker.run('registry', 'pin');
  const entry = await broker.serve('demo');
  const [demo, second] = await Promise.all([Agent.connect(entry), Agent.connect(broker.stdioEntry('second'))]);
  const results = new Map<Step, readonly CallResult[]>();
  for (const step of STEPS) results.set(step, await callsOf(step, step.agent === 'second' ? second : demo));
  await Promise.all([demo.close(), second.close()]);
  const [ledger, replayed] = await Promise.all([broker.run('ledger', 'list'), broker.run('replay', 'decide')]);
  const lines = endings(ledger);
  const wrong = STEPS.filter((step) => !show(step, results.get(step) ?? [], lines.splice(0, step.times ?? 1)));
  console.log(`${'replay'.padEnd(INDENT.length)}${replayed.replace(/ \d+ decisions,/, '')}`);
  return wrong.length === 0 && lines.length === 0;
}

const broker = new Broker();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void broker.close().finally(() => process.exit(1)));
}
try {
  process.exitCode = (await demonstrate(broker)) ? 0 : 1;
} finally {
  await broker.close();
}
