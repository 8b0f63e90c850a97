import { expect, test } from 'vitest';
import { type Comparison, countAlike, judge, type KnownDifference, tableOf } from './compare-columns.ts';
import type { Findings, Verdict } from './official-suite.ts';

const column = (scenarios: Readonly<Record<string, Readonly<Record<string, Verdict>>>>): Findings =>
  new Map(Object.entries(scenarios).map(([name, checks]) => [name, new Map(Object.entries(checks))]));

const COMPARISON: Comparison = {
  revision: '2026-07-28',
  behind: 'legacy',
  direct: column({ ping: { pong: 'passed' }, ask: { first: 'passed', second: 'passed' } }),
  through: column({ ping: { pong: 'passed' }, ask: { first: 'failed' } }),
};
const FIRST: KnownDifference = {
  ...{ revisions: ['2026-07-28'], behind: 'legacy', scenario: 'ask', check: 'first' },
  ...{ direct: 'passed', through: 'failed', reason: 'the wire' },
};
const SECOND: KnownDifference = { ...FIRST, check: 'second', through: 'unseen' };

test('a difference that is listed is known, whether a check failed or never came to be', () => {
  const { known, unlisted, gone } = judge(COMPARISON, [FIRST, SECOND]);
  expect([known.map(({ difference }) => difference.check), unlisted, gone]).toEqual([['first', 'second'], [], []]);
});

test('a difference that is not listed is reported, and so is one that ends otherwise than listed', () => {
  const { unlisted } = judge(COMPARISON, [{ ...FIRST, through: 'warned' }]);
  expect(unlisted.map(({ check, direct, through }) => [check, direct, through])).toEqual([
    ['first', 'passed', 'failed'],
    ['second', 'passed', 'unseen'],
  ]);
});

test('a listed difference that no longer occurs is gone, and one of another revision or era is not looked for', () => {
  const stale = { ...FIRST, check: 'third' };
  const others: readonly KnownDifference[] = [
    { ...stale, revisions: ['2025-11-25'] },
    { ...stale, behind: 'modern' },
  ];
  expect(judge(COMPARISON, [FIRST, SECOND, stale, ...others]).gone).toEqual([stale]);
});

test('scenarios are counted as the suite counts them: failed where a check failed', () => {
  expect(countAlike(COMPARISON)).toEqual({ all: 2, alike: 1 });
});

test('the table has a row for each scenario of either side, with its worst verdict', () => {
  expect(tableOf(COMPARISON)).toBe(
    ['scenario  direct      through', 'ping      passed 1/1  passed 1/1', 'ask       passed 2/2  failed 0/1'].join(
      '\n',
    ),
  );
});
