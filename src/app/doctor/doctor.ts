import { type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import { sendAdminRequest } from '../../ingress/socket/connect.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { errorMessage } from '../../lib/text/error-message.ts';
import { readRegistry } from '../../registry/load.ts';
import { type PolicyFiles, readPolicyFiles } from '../queries/policy.ts';
import { type DaemonReport, daemonSocketPath, isDaemonAbsent, isDaemonClosing } from '../runtime/daemon-socket.ts';
import { loadPolicyBundle, readPolicyTexts } from '../runtime/policy-bundle.ts';
import { secretProblems } from '../runtime/upstream-servers.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';
import type { Check, CheckResult, Environment, MachineProbe } from './check.ts';
import { dataDirectoryCheck, diskCheck, lockCheck } from './data-directory.ts';
import { agentsCheck, filesCheck, policyTestsCheck, secretsCheck } from './files.ts';
import { keysCheck } from './keys.ts';
import { clockCheck, machineProbe, nativeModuleCheck, nodeVersionCheck, portCheck } from './machine.ts';
import { serversCheck } from './servers.ts';

export interface DoctorOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Called with the name of each check before it begins. */
  readonly onCheck?: (name: string) => void;
  readonly machine?: MachineProbe;
  readonly signal: AbortSignal;
}

/** Examines an installation, with or without a running broker. Changes nothing. */
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

/** Reads once what several checks use. */
async function readEnvironment(base: BaseEnvironment, onCheck: (name: string) => void): Promise<Environment> {
  const { settings, env } = base;
  const problems: Problem[] = [];
  onCheck('broker');
  const daemon = await daemonReport(settings, problems);
  const files = readFiles(settings, problems);
  const context = { registryDir: settings.registry, env };
  // Secrets resolve in the environment of the broker, if one runs.
  const secrets = daemon?.secrets ?? (files ? secretProblems(files.registry, context) : []);
  return { ...base, daemon, files, problems, secrets };
}

/** A broker without a report after this time hangs. */
const REPORT_TIMEOUT_MS = 5_000;

/** Report of the broker that holds the data directory. The lock check reports one that does not respond. */
async function daemonReport(settings: Settings, problems: Problem[]): Promise<DaemonReport | undefined> {
  try {
    // `as`: the daemon is our own program, and its admin API made the report.
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

/** Reads both directories, so that a mistake in one does not hide those in the other. */
function readFiles(settings: Settings, problems: Problem[]): PolicyFiles | undefined {
  const before = problems.length;
  const reads: readonly (() => unknown)[] = [
    () => readRegistry(settings.registry),
    () => loadPolicyBundle(readPolicyTexts(settings.policies), settings.policies),
  ];
  for (const read of reads) readOrCollect(problems, read);
  return problems.length > before ? undefined : readOrCollect(problems, () => readPolicyFiles(settings));
}

/** Checks that all others need: if one fails, the others would only repeat it. */
export const PREREQUISITES: readonly Check[] = [nodeVersionCheck, nativeModuleCheck];

/** Every other check, in the order of the report. A new check is one constant and one line here. */
export const CHECKS: readonly Check[] = [
  dataDirectoryCheck,
  lockCheck,
  diskCheck,
  clockCheck,
  portCheck,
  filesCheck,
  policyTestsCheck,
  secretsCheck,
  serversCheck,
  keysCheck,
  agentsCheck,
];

/** A finding and the check that made it. */
export type Finding = Omit<Problem, 'severity'> & { readonly severity: 'error' | 'warning'; readonly check: string };

/** Result of all checks. */
export interface DoctorReport {
  /** True without errors; warnings are allowed. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  /** Names of the checks that ran. */
  readonly checked: readonly string[];
  /** Measurements by check. */
  readonly facts: Readonly<Record<string, JsonObject>>;
}

/** Runs checks one after the other and calls `onCheck` before each. Rejects when the signal is aborted. */
export async function runChecks(
  checks: readonly Check[],
  environment: Environment,
  onCheck: (name: string) => void = () => {},
): Promise<DoctorReport> {
  const findings: Finding[] = [];
  const facts: Record<string, JsonObject> = {};
  for (const check of checks) {
    environment.signal.throwIfAborted();
    onCheck(check.name);
    const checked = await runCheck(check, environment);
    for (const problem of checked.findings) {
      findings.push({ ...problem, severity: problem.severity ?? 'error', check: check.name });
    }
    if (checked.facts !== undefined) facts[check.name] = checked.facts;
  }
  const healthy = findings.every(({ severity }) => severity === 'warning');
  return { healthy, findings, checked: checks.map(({ name }) => name), facts };
}

async function runCheck(check: Check, environment: Environment): Promise<CheckResult> {
  try {
    return await check.run(environment);
  } catch (error) {
    environment.signal.throwIfAborted();
    if (error instanceof ProblemError) return { findings: error.problems };
    const message = `the check failed: ${errorMessage(error)}`;
    const hint = 'fix what the message names, then run `seneschal doctor` again';
    return { findings: [{ code: 'doctor-check-failed', at: check.name, message, hint }] };
  }
}
