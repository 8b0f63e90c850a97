import { ProblemError } from '../../../src/domain/problem.ts';
import type { PolicyFiles } from '../../../src/policy/files/model.ts';
import { loadPolicySet } from '../../../src/policy/load.ts';
import type { PolicySet } from '../../../src/policy/policy-set.ts';

/** Loads rows of a `policy.csv`. */
export function policyOf(...rows: readonly string[]): PolicySet {
  return loadPolicySet({ 'policy.csv': rows.join('\n') });
}

/** The problems of a refused load, as `line:column code`. */
export function refusals(files: PolicyFiles): readonly string[] {
  try {
    loadPolicySet(files);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems.map((problem) => `${problem.at} ${problem.code}`);
    throw error;
  }
  return [];
}
