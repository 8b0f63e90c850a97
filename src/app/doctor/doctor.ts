import { type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import { sendAdminRequest } from '../../ingress/socket-client.ts';
import { daemonSocketPath, isDaemonAbsent, isDaemonClosing } from '../daemon-client.ts';
import type { DaemonReport } from '../daemon-report.ts';
import { readRegistry } from '../known-registry.ts';
import { type PolicyFiles, readPolicyFiles } from '../policy-questions.ts';
import { loadPolicyBundle, readPolicyTexts } from '../rules.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';
import { secretProblems } from '../upstream-servers.ts';
import type { Environment, MachineProbe } from './check.ts';
import { CHECKS, type DoctorReport, PREREQUISITES, runChecks } from './examine.ts';
import { machineProbe } from './machine.ts';

/** What a set-up is looked at with. */
export interface DoctorOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Told the name of each check before it begins. */
  readonly onCheck?: (name: string) => void;
  readonly machine?: MachineProbe;
  readonly signal: AbortSignal;
}

/** Looks at a set-up as support would: beside a running broker or without one, and without changing anything. */
export async function runDoctor(settings: Settings, options: DoctorOptions): Promise<DoctorReport> {
  const { env, version, onCheck = () => {}, machine = machineProbe, signal } = options;
  const base = { settings, env, version, clock: systemClock, machine, signal };
  const noFiles = { daemon: undefined, files: undefined, problems: [], secrets: [] };
  const prerequisites = await runChecks(PREREQUISITES, { ...base, ...noFiles }, onCheck);
  if (!prerequisites.healthy) return prerequisites;
  const checks = await runChecks(CHECKS, await readEnvironment(base, onCheck), onCheck);
  return {
    healthy: checks.healthy,
    findings: [...prerequisites.findings, ...checks.findings],
    checked: [...prerequisites.checked, ...checks.checked],
    facts: { ...prerequisites.facts, ...checks.facts },
  };
}

type BaseEnvironment = Pick<Environment, 'settings' | 'env' | 'version' | 'clock' | 'machine' | 'signal'>;

/** Reads what several checks look at, once. */
async function readEnvironment(base: BaseEnvironment, onCheck: (name: string) => void): Promise<Environment> {
  const { settings, env } = base;
  const problems: Problem[] = [];
  onCheck('broker');
  const daemon = await daemonReport(settings, problems);
  const files = readFiles(settings, problems);
  const context = { registryDir: settings.registry, env };
  // What the broker can resolve is for its own environment to say.
  const secrets = daemon?.secrets ?? (files ? secretProblems(files.registry, context) : []);
  return { ...base, daemon, files, problems, secrets };
}

/** A broker that says nothing of itself for so long hangs. */
const REPORT_TIMEOUT_MS = 5_000;

/** What the broker says that holds the data directory. One that does not answer is told of by the check of the lock. */
async function daemonReport(settings: Settings, problems: Problem[]): Promise<DaemonReport | undefined> {
  try {
    // `as`: the daemon is our own program, and its administration made it.
    return (await sendAdminRequest(
      daemonSocketPath(settings),
      'broker.report',
      {},
      REPORT_TIMEOUT_MS,
    )) as unknown as DaemonReport;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (!isDaemonAbsent(error) && !isDaemonClosing(error)) problems.push(...error.problems);
    return undefined;
  }
}

/** Both directories, so that a mistake in the one does not hide those of the other. */
function readFiles(settings: Settings, problems: Problem[]): PolicyFiles | undefined {
  const before = problems.length;
  const reads: readonly (() => unknown)[] = [
    () => readRegistry(settings.registry),
    () => loadPolicyBundle(readPolicyTexts(settings.policies), settings.policies),
  ];
  for (const read of reads) readOrCollect(problems, read);
  return problems.length > before ? undefined : readOrCollect(problems, () => readPolicyFiles(settings));
}
