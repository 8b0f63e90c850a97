import type { Era } from '../upstream/start.ts';
import { type Findings, type Revision, type Verdict, worse } from './official-suite.ts';

/** A check that does not end through the broker as it does without. */
export interface Difference {
  readonly scenario: string;
  readonly check: string;
  readonly direct: Verdict;
  readonly through: Verdict;
}

/** A difference that the wire makes unavoidable. */
export interface KnownDifference extends Difference {
  readonly revisions: readonly Revision[];
  /** The era of the upstream behind the broker. */
  readonly behind: Era;
  /** One sentence: what of the wire makes it so. */
  readonly reason: string;
}

/** One revision, run directly and through the broker. */
export interface Comparison {
  readonly revision: Revision;
  readonly behind: Era;
  readonly direct: Findings;
  readonly through: Findings;
}

/** What a comparison comes to. */
export interface Outcome {
  /** Differences that the data file has. */
  readonly known: readonly { readonly difference: Difference; readonly reason: string }[];
  /** Differences that it has not. */
  readonly unlisted: readonly Difference[];
  /** What it has and no longer occurs. */
  readonly gone: readonly KnownDifference[];
}

/** Compares two columns check by check; a check that came to nothing is not one that passed. */
export function differencesOf({ direct, through }: Comparison): readonly Difference[] {
  return [...union(direct, through)].flatMap((scenario) => {
    const left = direct.get(scenario) ?? NO_CHECKS;
    const right = through.get(scenario) ?? NO_CHECKS;
    return [...union(left, right)]
      .map((check) => ({
        ...{ scenario, check },
        ...{ direct: left.get(check) ?? 'unseen', through: right.get(check) ?? 'unseen' },
      }))
      .filter((difference) => difference.direct !== difference.through);
  });
}

/** Holds the differences against those that are known. */
export function judge(comparison: Comparison, list: readonly KnownDifference[]): Outcome {
  const differences = differencesOf(comparison);
  const expected = list.filter(
    ({ revisions, behind }) => revisions.includes(comparison.revision) && behind === comparison.behind,
  );
  const known = differences.flatMap((difference) => {
    const listed = expected.find((entry) => isSame(entry, difference));
    return listed ? [{ difference, reason: listed.reason }] : [];
  });
  return {
    known,
    unlisted: differences.filter((difference) => !expected.some((entry) => isSame(entry, difference))),
    gone: expected.filter((entry) => !differences.some((difference) => isSame(entry, difference))),
  };
}

/** How many scenarios there are, and how many of them the suite counts alike on both sides: as failed, or as not failed. */
export function countAlike({ direct, through }: Comparison): { readonly all: number; readonly alike: number } {
  const scenarios = [...union(direct, through)];
  const alike = scenarios.filter((scenario) => isFailed(direct.get(scenario)) === isFailed(through.get(scenario)));
  return { all: scenarios.length, alike: alike.length };
}

function isFailed(checks: ReadonlyMap<string, Verdict> = NO_CHECKS): boolean {
  return [...checks.values()].includes('failed');
}

/** The table of two columns, a row for each scenario. */
export function tableOf({ direct, through }: Comparison): string {
  const rows = [...union(direct, through)].map((scenario) => [
    scenario,
    summaryOf(direct.get(scenario)),
    summaryOf(through.get(scenario)),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  return [HEAD, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const HEAD = ['scenario', 'direct', 'through'];
const NO_CHECKS: ReadonlyMap<string, Verdict> = new Map();

function summaryOf(checks: ReadonlyMap<string, Verdict> = NO_CHECKS): string {
  const verdicts = [...checks.values()];
  const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
  const worst = verdicts.reduce(worse, 'unseen');
  const counted = `${count('passed')}/${verdicts.length - count('unseen')}`;
  return worst === 'unseen' ? 'unseen' : `${worst} ${counted}`;
}

function union(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  return new Set([...one.keys(), ...other.keys()]);
}

function isSame(one: Difference, other: Difference): boolean {
  return (
    one.scenario === other.scenario &&
    one.check === other.check &&
    one.direct === other.direct &&
    one.through === other.through
  );
}
