import { basename } from 'node:path';
import { readYaml, type YamlFile, type YamlPath } from '../config/yaml-file.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { uriProblem } from '../domain/resource-id.ts';
import { digestOfJson } from '../lib/digest.ts';
import { parseNanoUsd } from '../lib/nano-usd.ts';
import { parseDurationMs } from '../lib/time.ts';
import { gcraRate } from './gcra.ts';
import {
  type BudgetAmounts,
  type BudgetRule,
  type ConcurrencyRule,
  createLimitRules,
  type LimitRule,
  type LimitRules,
  type RateRule,
} from './limit-rules.ts';
import {
  type BudgetSettings,
  type ConcurrencySettings,
  type LimitRowSettings,
  type LimitsSettings,
  limitsSettings,
  type RateSettings,
} from './settings.ts';

/** Above this, rounding the interval to a microsecond would change the rate by more than 1 %. */
const MAX_CALLS_PER_SECOND = 10_000;

/** The limits without a `limits.yaml`: none. */
export const EMPTY_LIMITS: LimitRules = createLimitRules({ rates: [], concurrency: [], budgets: [] });

/**
 * Loads `limits.yaml`. Counts are not part of the rules: a reload keeps every count whose row still has the same subject,
 * resource, action and unit or window.
 * @throws ProblemError with every problem, each at its line and column.
 */
export function loadLimits(file: string, text: string): LimitRules {
  const parser: LimitsParser = { yaml: readYaml(file, text, limitsSettings), problems: [], ruleIds: new Map() };
  const { rates, concurrency, budgets } = parser.yaml.value;
  const lists = {
    rates: rates.flatMap((row, index) => parseRateRule(parser, row, ['rates', index])),
    concurrency: concurrency.flatMap((row, index) => parseConcurrencyRule(parser, row, ['concurrency', index])),
    budgets: budgets.flatMap((row, index) => parseBudgetRule(parser, row, ['budgets', index])),
  };
  if (parser.problems.length > 0) throw new ProblemError(parser.problems);
  return createLimitRules(lists);
}

interface LimitsParser {
  readonly yaml: YamlFile<LimitsSettings>;
  readonly problems: Problem[];
  /** `file:line:column` of the first row of each rule id. */
  readonly ruleIds: Map<string, string>;
}

function parseRateRule(parser: LimitsParser, row: RateSettings, path: YamlPath): RateRule[] {
  const [calls = '', unit = ''] = row.limit.split('/');
  const periodMs = parseDurationMs(`1${unit}`);
  const rule = parseCommonFields(parser, row, { path, kind: 'rate', per: unit });
  if (periodMs === undefined || (Number(calls) * 1_000) / periodMs > MAX_CALLS_PER_SECOND) {
    const message = `\`limit\` is more than ${MAX_CALLS_PER_SECOND} calls per second`;
    return addProblem(parser, [...path, 'limit'], {
      code: 'limits-rate-too-high',
      message,
      hint: 'write a lower rate, or delete the row: a rate this high limits nothing',
    });
  }
  const burst = row.burst ?? Math.ceil(Number(calls) / 10);
  return [{ ...rule, limit: row.limit, burst, cell: gcraRate({ calls: Number(calls), periodMs, burst }) }];
}

function parseConcurrencyRule(parser: LimitsParser, row: ConcurrencySettings, path: YamlPath): ConcurrencyRule[] {
  return [{ ...parseCommonFields(parser, row, { path, kind: 'concurrency', per: '' }), limit: row.limit }];
}

function parseBudgetRule(parser: LimitsParser, row: BudgetSettings, path: YamlPath): BudgetRule[] {
  const rule = parseCommonFields(parser, row, { path, kind: 'budget', per: row.window });
  const { calls, usd } = row.hard;
  if (calls === undefined && usd === undefined) {
    return addProblem(parser, [...path, 'hard'], {
      code: 'limits-budget-empty',
      message: '`hard` sets no limit',
      hint: 'write `calls: 100`, `usd: "5.00"` or both',
    });
  }
  const nanoUsd = usd === undefined ? undefined : parseNanoUsd(usd);
  if (usd !== undefined && (nanoUsd === undefined || nanoUsd === 0)) {
    return addProblem(parser, [...path, 'hard', 'usd'], {
      code: 'limits-budget-amount',
      message: '`usd` must be more than `0` and at most `9007199`',
      hint: 'to forbid calls, write a `deny` row in policy.csv',
    });
  }
  const softPercent = Number(row.soft.slice(0, -1));
  const hard = amounts(calls, nanoUsd);
  const soft = amounts(percentOf(hard.calls, softPercent), percentOf(hard.nanoUsd, softPercent));
  return [{ ...rule, window: row.window, hard, softPercent, soft }];
}

/** 96 bits of the digest: short, because every ledger entry repeats it, and enough to tell thousands of rules apart. */
const SHORT_ID = { from: 'sha256:'.length, to: 'sha256:'.length + 24 } as const;

function parseCommonFields(
  parser: LimitsParser,
  row: LimitRowSettings,
  location: { readonly path: YamlPath; readonly kind: string; readonly per: string },
): LimitRule {
  const { subject, resource, action } = row;
  const id = digestOfJson([location.kind, subject, resource, action, location.per]).slice(SHORT_ID.from, SHORT_ID.to);
  const at = parser.yaml.at(location.path);
  const earlier = parser.ruleIds.get(id);
  if (earlier === undefined) parser.ruleIds.set(id, at);
  else {
    addProblem(parser, location.path, {
      code: 'limits-duplicate-row',
      message: `this row has the same subject, resource, action and unit or window as \`${earlier}\``,
      hint: 'delete one of the two rows',
    });
  }
  const defect = uriProblem(resource);
  if (defect !== undefined)
    addProblem(parser, [...location.path, 'resource'], { code: 'limits-uri-not-normal', ...defect });
  const line = at.split(':').at(-2) ?? '';
  return { id, at: `${basename(parser.yaml.file)}:${line}`, subject, resource, action };
}

function addProblem(parser: LimitsParser, path: YamlPath, problem: Omit<Problem, 'at'>): [] {
  parser.problems.push(parser.yaml.problem(path, problem));
  return [];
}

function amounts(calls: number | undefined, nanoUsd: number | undefined): BudgetAmounts {
  return { ...(calls === undefined ? {} : { calls }), ...(nanoUsd === undefined ? {} : { nanoUsd }) };
}

/** The smallest integer that is at least `percent` of `amount`. */
function percentOf(amount: number | undefined, percent: number): number | undefined {
  if (amount === undefined) return undefined;
  // A hundred times an amount in nano-dollars can exceed the safe integers.
  return Number((BigInt(amount) * BigInt(percent) + 99n) / 100n);
}

/**
 * The `limits.yaml` of a new home: enough for one busy agent, and it stops an agent in a loop. It sets no limit in
 * dollars, because a new registry states no costs.
 */
export function defaultLimitsText(): string {
  return `# yaml-language-server: $schema=../registry/schema/limits.schema.json
rates:
  - { subject: "agent:*", resource: "tool:*", action: call, limit: 120/m, burst: 30 }
concurrency:
  - { subject: "agent:*", resource: "tool:*", limit: 8 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 5000 }, soft: 80% }
`;
}
