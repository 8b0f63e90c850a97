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
  /** Digest of the texts that decide: model, policy and limits, without the policy tests. */
  readonly revision: Digest;
  /** Those texts, archived by their digest for replay. */
  readonly texts: Readonly<Record<string, string>>;
  readonly policySet: PolicySet;
  readonly limits: LimitRules;
  readonly suites: readonly PolicySuite[];
}

/** Reads the texts of a policy directory. A missing directory is empty, and an empty one allows nothing. */
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
 * Problems for files that are active and have disappeared. At startup no file is required. While the broker runs, a
 * missing file counts as an accident until a person writes an empty one: without `limits.yaml` nothing would be
 * limited. A missing directory is accepted, because without it nothing is allowed.
 */
export function missingFiles(texts: Readonly<Record<string, string>>, active: PolicyBundle, dir: string): Problem[] {
  if (!existsSync(dir)) return [];
  return ['policy.csv', 'limits.yaml']
    .filter((path) => texts[path] === undefined && (active.texts[path] ?? '') !== '')
    .map((path) => ({
      code: 'policy-file-gone',
      at: `${dir}/${path}`,
      message: 'the file was removed; its last version stays active',
      hint: 'restore it; to remove its content, write an empty file',
    }));
}

/** Digest of the texts that decide. */
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
      hint: 'remove it; policy files are `policy.csv`, `model.conf`, `limits.yaml` and `tests/*.yaml`',
    }));
}
