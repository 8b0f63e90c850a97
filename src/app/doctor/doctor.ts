import { type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import { askDaemon } from '../../ingress/socket-client.ts';
import { daemonSocketPath, isDaemonAbsent, isDaemonLeaving } from '../daemon-client.ts';
import type { DaemonReport } from '../daemon-report.ts';
import { readRegistry } from '../known-registry.ts';
import { type RulesOnFile, readRulesOnFile } from '../policy-questions.ts';
import { loadRules, readRuleTexts } from '../rules.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';
import { secretProblems } from '../upstream-servers.ts';
import type { Machine, SetUp } from './check.ts';
import { CHECKS, type Examination, GROUND, runChecks } from './examine.ts';
import { thisMachine } from './machine.ts';

/** What a set-up is looked at with. */
export interface DoctorOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Told the name of each check before it begins. */
  readonly onCheck?: (name: string) => void;
  readonly machine?: Machine;
  readonly signal: AbortSignal;
}

/** Looks at a set-up as support would: beside a running broker or without one, and without changing anything. */
export async function examine(settings: Settings, options: DoctorOptions): Promise<Examination> {
  const { env, version, onCheck = () => {}, machine = thisMachine, signal } = options;
  const bare = { settings, env, version, clock: systemClock, machine, signal };
  const nothingRead = { daemon: undefined, files: undefined, problems: [], secrets: [] };
  const ground = await runChecks(GROUND, { ...bare, ...nothingRead }, onCheck);
  if (!ground.healthy) return ground;
  const rest = await runChecks(CHECKS, await setUpOf(bare, onCheck), onCheck);
  return {
    healthy: rest.healthy,
    findings: [...ground.findings, ...rest.findings],
    checked: [...ground.checked, ...rest.checked],
    facts: { ...ground.facts, ...rest.facts },
  };
}

type Bare = Pick<SetUp, 'settings' | 'env' | 'version' | 'clock' | 'machine' | 'signal'>;

/** Reads what several checks look at, once. */
async function setUpOf(bare: Bare, onCheck: (name: string) => void): Promise<SetUp> {
  const { settings, env } = bare;
  const problems: Problem[] = [];
  onCheck('broker');
  const daemon = await daemonReport(settings, problems);
  const files = filesOf(settings, problems);
  const around = { registryDir: settings.registry, env };
  // What the broker can resolve is for its own environment to say.
  const secrets = daemon?.secrets ?? (files ? secretProblems(files.registry, around) : []);
  return { ...bare, daemon, files, problems, secrets };
}

/** A broker that says nothing of itself for so long hangs. */
const ANSWER_MS = 5_000;

/** What the broker says that holds the data directory. One that does not answer is told of by the check of the lock. */
async function daemonReport(settings: Settings, problems: Problem[]): Promise<DaemonReport | undefined> {
  try {
    // `as`: the daemon is our own program, and its administration made it.
    return (await askDaemon(daemonSocketPath(settings), 'broker.report', {}, ANSWER_MS)) as unknown as DaemonReport;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (!isDaemonAbsent(error) && !isDaemonLeaving(error)) problems.push(...error.problems);
    return undefined;
  }
}

/** Both directories, so that a mistake in the one does not hide those of the other. */
function filesOf(settings: Settings, problems: Problem[]): RulesOnFile | undefined {
  const before = problems.length;
  const reads: readonly (() => unknown)[] = [
    () => readRegistry(settings.registry),
    () => loadRules(readRuleTexts(settings.policies), settings.policies),
  ];
  for (const read of reads) readOrCollect(problems, read);
  return problems.length > before ? undefined : readOrCollect(problems, () => readRulesOnFile(settings));
}
