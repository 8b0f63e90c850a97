import type { Problem } from '../domain/problem.ts';
import { ProblemError } from '../domain/problem.ts';
import { digestOfJson } from '../lib/digest.ts';
import { createConditionCompiler } from './conditions/condition.ts';
import type { GrantIndexBuilder } from './engine/grant-index.ts';
import { buildRoleGraph, findCycle, type RoleGraph } from './engine/role-graph.ts';
import type { GrantRow, LinkRow } from './files/grant-row.ts';
import { checkModelConf, DEFAULT_MODEL, type PolicyFiles } from './files/model.ts';
import { type PolicyRows, parsePolicyRows } from './files/policy-rows.ts';
import { readSourceText } from './files/source-text.ts';
import { createPolicySet, type PolicySet } from './policy-set.ts';

/** Options of {@link loadPolicySet}. */
export interface LoadPolicyOptions {
  /** Names of the files in problems. Default: `policy.csv` and `model.conf`. */
  readonly fileNames?: { readonly 'policy.csv'?: string; readonly 'model.conf'?: string };
  /** Builds the index. Default: {@link buildGrantIndex}; tests pass broken ones. */
  readonly buildIndex?: GrantIndexBuilder;
}

/**
 * Loads a policy set. Refuses everything that node-casbin would ignore or misread.
 * @throws ProblemError with every problem of both files, each at `file:line:column`.
 */
export function loadPolicySet(files: PolicyFiles, options: LoadPolicyOptions = {}): PolicySet {
  const problems: Problem[] = [];
  const names = { 'policy.csv': 'policy.csv', 'model.conf': 'model.conf', ...options.fileNames };
  const model = readSourceText(names['model.conf'], files['model.conf'] ?? DEFAULT_MODEL, problems);
  const policy = readSourceText(names['policy.csv'], files['policy.csv'] ?? '', problems);
  checkModelConf(model, problems);
  const parsed = parsePolicyRows(policy, createConditionCompiler(), problems);
  const roles = checkedRoleGraph(parsed.roleLinks, { kind: 'role', file: policy.file }, problems);
  const sets = checkedRoleGraph(parsed.setLinks, { kind: 'set', file: policy.file }, problems);
  for (const row of parsed.grants) checkGroups(row, { roles, sets, file: policy.file }, problems);
  if (problems.length > 0) throw new ProblemError(sortByLocation(problems));
  const texts = { 'model.conf': model.text, 'policy.csv': policy.text };
  const { buildIndex } = options;
  return createPolicySet({
    digest: digestOfJson(texts),
    texts,
    rows: parsed.grants,
    conditions: parsed.conditions,
    roles,
    sets,
    ...(buildIndex === undefined ? {} : { buildIndex }),
  });
}

function checkedRoleGraph(
  links: PolicyRows['roleLinks'],
  source: { readonly kind: 'role' | 'set'; readonly file: string },
  problems: Problem[],
): RoleGraph {
  const cycle = findCycle(links);
  if (cycle !== undefined) problems.push(cycleProblem(cycle, source));
  return buildRoleGraph(links, source.kind);
}

function cycleProblem(
  cycle: { readonly link: LinkRow; readonly path: readonly string[] },
  source: { readonly kind: 'role' | 'set'; readonly file: string },
): Problem {
  return {
    code: source.kind === 'role' ? 'policy-role-cycle' : 'policy-set-cycle',
    at: `${source.file}:${cycle.link.line}:${cycle.link.groupColumn}`,
    message: `the ${source.kind}s form a cycle: ${cycle.path.map((id) => `\`${id}\``).join(' in ')}`,
    hint: 'delete one of these rows',
  };
}

function checkGroups(
  row: GrantRow,
  about: { readonly roles: RoleGraph; readonly sets: RoleGraph; readonly file: string },
  problems: Problem[],
): void {
  if (row.subject.startsWith('role:') && !about.roles.has(row.subject)) {
    problems.push({
      code: 'policy-unknown-role',
      at: `${about.file}:${row.line}:${row.columns.subject}`,
      message: `no \`g\` row names \`${row.subject}\``,
      hint: `assign it to an agent, as in \`g, agent:…, ${row.subject}\`, or correct the name`,
    });
  }
  if (row.object.startsWith('set:') && !about.sets.has(row.object)) {
    problems.push({
      code: 'policy-unknown-set',
      at: `${about.file}:${row.line}:${row.columns.object}`,
      message: `no \`g2\` row names \`${row.object}\``,
      hint: `add a member, as in \`g2, tool:…, ${row.object}\`, or correct the name`,
    });
  }
}

/** Sorts by file, then line, and keeps the order within a line. */
function sortByLocation(problems: readonly Problem[]): Problem[] {
  const location = (problem: Problem): readonly [string, number] => {
    const [, file = problem.at, line = '0'] = /^(.*?):(\d+)(?::\d+)?$/.exec(problem.at) ?? [];
    return [file, Number(line)];
  };
  return problems.toSorted((a, b) => {
    const [fileA, lineA] = location(a);
    const [fileB, lineB] = location(b);
    return fileA === fileB ? lineA - lineB : fileA < fileB ? -1 : 1;
  });
}
