import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json.ts';
import { thrownText } from '../../lib/thrown-text.ts';
import { agents } from './agents.ts';
import type { Check, Checked, SetUp } from './check.ts';
import { clock } from './clock.ts';
import { dataDirectory } from './data-directory.ts';
import { disk } from './disk.ts';
import { files } from './files.ts';
import { keys } from './keys.ts';
import { lock } from './lock.ts';
import { nativeModule } from './native-module.ts';
import { nodeVersion } from './node-version.ts';
import { policyTests } from './policy-tests.ts';
import { port } from './port.ts';
import { secrets } from './secrets.ts';
import { servers } from './servers.ts';

/** What every other check stands on: where one of these fails, the others would only say so again. */
export const GROUND: readonly Check[] = [nodeVersion, nativeModule];

/** Every other check, in the order in which it is told of. The next one is one file and one line. */
export const CHECKS: readonly Check[] = [
  dataDirectory,
  lock,
  disk,
  clock,
  port,
  files,
  policyTests,
  secrets,
  servers,
  keys,
  agents,
];

/** A finding and the check that made it. */
export type Finding = Omit<Problem, 'severity'> & { readonly severity: 'error' | 'warning'; readonly check: string };

/** How a set-up stands. */
export interface Examination {
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
  setUp: SetUp,
  onCheck: (name: string) => void = () => {},
): Promise<Examination> {
  const findings: Finding[] = [];
  const facts: Record<string, JsonObject> = {};
  for (const check of checks) {
    setUp.signal.throwIfAborted();
    onCheck(check.name);
    const checked = await made(check, setUp);
    for (const problem of checked.findings) {
      findings.push({ ...problem, severity: problem.severity ?? 'error', check: check.name });
    }
    if (checked.facts !== undefined) facts[check.name] = checked.facts;
  }
  const healthy = findings.every(({ severity }) => severity === 'warning');
  return { healthy, findings, checked: checks.map(({ name }) => name), facts };
}

async function made(check: Check, setUp: SetUp): Promise<Checked> {
  try {
    return await check.run(setUp);
  } catch (error) {
    setUp.signal.throwIfAborted();
    if (error instanceof ProblemError) return { findings: error.problems };
    const message = `this could not be checked: ${thrownText(error)}`;
    const hint = 'mend what the message names, then run `seneschal doctor` again';
    return { findings: [{ code: 'doctor-check-failed', at: check.name, message, hint }] };
  }
}
