import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json.ts';
import { errorMessage } from '../../lib/thrown-text.ts';
import { agentsCheck } from './agents.ts';
import type { Check, CheckResult, Environment } from './check.ts';
import { clockCheck } from './clock.ts';
import { dataDirectoryCheck } from './data-directory.ts';
import { diskCheck } from './disk.ts';
import { filesCheck } from './files.ts';
import { keysCheck } from './keys.ts';
import { lockCheck } from './lock.ts';
import { nativeModuleCheck } from './native-module.ts';
import { nodeVersionCheck } from './node-version.ts';
import { policyTestsCheck } from './policy-tests.ts';
import { portCheck } from './port.ts';
import { secretsCheck } from './secrets.ts';
import { serversCheck } from './servers.ts';

/** What every other check stands on: where one of these fails, the others would only say so again. */
export const PREREQUISITES: readonly Check[] = [nodeVersionCheck, nativeModuleCheck];

/** Every other check, in the order in which it is told of. The next one is one file and one line. */
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

/** How a set-up stands. */
export interface DoctorReport {
  /** True without errors; warnings are allowed. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  /** Names of the checks that were made. */
  readonly checked: readonly string[];
  /** What was measured, by check. */
  readonly facts: Readonly<Record<string, JsonObject>>;
}

/** Makes checks one after the other. `onCheck` is told the name of each before it begins. Rejects when it is aborted. */
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
    const message = `this could not be checked: ${errorMessage(error)}`;
    const hint = 'mend what the message names, then run `seneschal doctor` again';
    return { findings: [{ code: 'doctor-check-failed', at: check.name, message, hint }] };
  }
}
