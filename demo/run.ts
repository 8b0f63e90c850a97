// Scripted agents call tools through a broker, and each call ends for another reason. Prints what was called, what the
// agent was told, and how the ledger says that it ended. Exits with 1 when a call ended otherwise than it has to.
import { Agent, type Answer } from './agent.ts';
import { Broker } from './broker.ts';
import { STEPS, type Step } from './steps.ts';

const INDENT = ' '.repeat(11);

/** The lines of the ledger that say how calls ended, oldest first, without number, time, duration and id. */
function endings(ledger: string): string[] {
  return ledger
    .split('\n')
    .filter((line) => / call\.(?:refused|closed) /.test(line))
    .map((line) => line.replace(/^\d+ +\S+ +/, '').replace(/(?: \d+ ms)? \S+$/, ''))
    .map((line) => line.replaceAll(/ +/g, ' '))
    .reverse();
}

/** The answers to all calls of a step; the last is the one that counts. */
async function callsOf({ tool, args, times = 1 }: Step, agent: Agent): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let turn = 1; turn <= times; turn += 1) answers.push(await agent.call(tool, args));
  return answers;
}

/** Prints a step; true when it ended as it has to. */
function show(step: Step, answers: readonly Answer[], lines: readonly string[]): boolean {
  const { shows, tool, args, times = 1, ends, told = ends } = step;
  const last = answers.at(-1);
  console.log(`${shows.padEnd(INDENT.length)}${tool} ${JSON.stringify(args)}${times > 1 ? ` × ${times}` : ''}`);
  console.log(`${INDENT}→ ${last?.text.replace(/\d+ ms/, '… ms')}`);
  console.log(`${INDENT}${lines.at(-1)}`);
  const expected = [...Array.from({ length: times - 1 }, () => 'completed'), ends];
  const recorded = lines.length === times && lines.every((line, at) => line.split(' ').includes(expected[at] ?? ''));
  const isRight = recorded && last?.said === told;
  if (!isRight) console.error(`this had to end as ${ends}, and the agent be told ${told}`);
  return isRight;
}

async function demonstrate(broker: Broker): Promise<boolean> {
  await broker.say('registry', 'pin');
  const entry = await broker.serve('demo');
  const [demo, second] = await Promise.all([Agent.connect(entry), Agent.connect(broker.stdioEntry('second'))]);
  const answers = new Map<Step, readonly Answer[]>();
  for (const step of STEPS) answers.set(step, await callsOf(step, step.agent === 'second' ? second : demo));
  await Promise.all([demo.close(), second.close()]);
  const [ledger, replayed] = await Promise.all([broker.say('ledger', 'list'), broker.say('replay', 'decide')]);
  const lines = endings(ledger);
  const wrong = STEPS.filter((step) => !show(step, answers.get(step) ?? [], lines.splice(0, step.times ?? 1)));
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
