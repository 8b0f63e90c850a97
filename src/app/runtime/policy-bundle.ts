import { existsSync } from 'node:fs';
import { readTextFiles } from '../../config/text-file.ts';
import { type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import { type Digest, digestOfJson } from '../../lib/digest.ts';
import type { LimitRules } from '../../limits/limit-rules.ts';
import { EMPTY_LIMITS, loadLimits } from '../../limits/load.ts';
import { loadPolicySet } from '../../policy/load.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import { type PolicySuite, readSuite } from '../../policy/suite.ts';

/** Everything of `policies/`, compiled: one immutable revision. */
export interface PolicyBundle {
  /** Digest of the texts that decide: model, policy and limits. Tests are not among them. */
  readonly revision: Digest;
  /** Those texts, to be kept by their digest for replay. */
  readonly texts: Readonly<Record<string, string>>;
  readonly policySet: PolicySet;
  readonly limits: LimitRules;
  readonly suites: readonly PolicySuite[];
}

/** Reads the texts of a policy directory. One that does not exist is empty, and an empty one allows nothing. */
export function readPolicyTexts(dir: string): Readonly<Record<string, string>> {
  return existsSync(dir) ? readTextFiles(dir, { folders: ['tests'] }) : {};
}

/**
 * Compiles the texts of a policy directory, by path within it. `dir` stands before the paths in problems.
 * @throws ProblemError with every problem of every file.
 */
export function loadPolicyBundle(texts: Readonly<Record<string, string>>, dir: string): PolicyBundle {
  const problems: Problem[] = unexpectedFiles(texts, dir);
  const policy = texts['policy.csv'] ?? '';
  const model = texts['model.conf'];
  const limitsText = texts['limits.yaml'];
  const policySet = readOrCollect(problems, () =>
    loadPolicySet(
      { 'policy.csv': policy, ...(model === undefined ? {} : { 'model.conf': model }) },
      { fileNames: { 'policy.csv': `${dir}/policy.csv`, 'model.conf': `${dir}/model.conf` } },
    ),
  );
  const limits =
    limitsText === undefined
      ? EMPTY_LIMITS
      : readOrCollect(problems, () => loadLimits(`${dir}/limits.yaml`, limitsText));
  const suites = Object.keys(texts)
    .filter((path) => path.startsWith('tests/'))
    .map((path) => readOrCollect(problems, () => readSuite(`${dir}/${path}`, texts[path] ?? '')));
  if (problems.length > 0 || !policySet || !limits) throw new ProblemError(problems);
  const decidingTexts = { ...policySet.texts, ...(limitsText === undefined ? {} : { 'limits.yaml': limitsText }) };
  return {
    revision: revisionOf(decidingTexts),
    texts: decidingTexts,
    policySet,
    limits,
    suites: suites.filter((suite) => suite !== undefined),
  };
}

/**
 * What is in force and whose file is gone. At a start no file is needed; while calls run a file that vanishes is an
 * accident until a person empties it: without `limits.yaml` nothing would be limited any more. A whole directory that
 * is gone was taken away, and without it nothing is allowed.
 */
export function missingFiles(texts: Readonly<Record<string, string>>, active: PolicyBundle, dir: string): Problem[] {
  if (!existsSync(dir)) return [];
  return ['policy.csv', 'limits.yaml']
    .filter((path) => texts[path] === undefined && (active.texts[path] ?? '') !== '')
    .map((path) => ({
      code: 'policy-file-gone',
      at: `${dir}/${path}`,
      message: 'this file is in force and is no longer there',
      hint: 'put it back; write an empty file to take back all that it says',
    }));
}

/** The revision of texts that decide. */
export function revisionOf(texts: Readonly<Record<string, string>>): Digest {
  return digestOfJson({ ...texts });
}

function unexpectedFiles(texts: Readonly<Record<string, string>>, dir: string): Problem[] {
  return Object.keys(texts)
    .filter((path) => !/^(?:policy\.csv|model\.conf|limits\.yaml|tests\/[^/]+\.yaml|[^/]+\.md)$/.test(path))
    .map((path) => ({
      code: 'policy-unexpected-file',
      at: `${dir}/${path}`,
      message: 'nothing reads this file',
      hint: 'policies are `policy.csv`, `model.conf`, `limits.yaml` and `tests/*.yaml`',
    }));
}
