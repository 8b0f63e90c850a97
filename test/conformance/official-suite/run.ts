// Runs the official suite against an upstream, directly and through the broker, and exits 1 where the columns differ
// otherwise than known. Arguments: revisions to run. Default: all.

import { KNOWN_DIFFERENCES } from '../requirements/known-differences.ts';
import type { Era } from '../upstream/start.ts';
import { type Comparison, countAlike, judge, type Outcome, tableOf } from './compare-columns.ts';
import { type GovernedUpstreams, startGovernedUpstreams } from './governed-upstreams.ts';
import { type Findings, REVISIONS, type Revision, runSuite, SUITE } from './official-suite.ts';

const wanted = process.argv.slice(2);
const revisions = REVISIONS.filter((revision) => wanted.length === 0 || wanted.includes(revision));
if (revisions.length === 0) throw new Error(`there are the revisions ${REVISIONS.join(', ')}`);

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const eraOf = (revision: Revision): Era => (revision === '2026-07-28' ? 'modern' : 'legacy');

async function compare(upstreams: GovernedUpstreams, revision: Revision): Promise<boolean> {
  const own = eraOf(revision);
  const direct: Findings = await runSuite(upstreams.directUrl(own), revision);
  const eras: readonly Era[] = own === 'legacy' ? ['legacy', 'modern'] : ['modern', 'legacy'];
  let isAsKnown = true;
  for (const behind of eras) {
    const through = await runSuite(upstreams.throughUrl(behind), revision);
    const comparison: Comparison = { revision, behind, direct, through };
    const outcome = judge(comparison, KNOWN_DIFFERENCES);
    print(`\n${revision} in front, ${behind === own ? 'the same era' : `the ${behind} era`} behind\n`);
    print(tableOf(comparison));
    const { all, alike } = countAlike(comparison);
    print(`${alike} of ${all} scenarios end alike`);
    printOutcome(outcome);
    isAsKnown &&= outcome.unlisted.length === 0 && outcome.gone.length === 0;
  }
  return isAsKnown;
}

function printOutcome({ known, unlisted, gone }: Outcome): void {
  for (const { difference, reason } of known) print(`known      ${textOf(difference)}: ${reason}`);
  for (const difference of unlisted) print(`UNLISTED   ${textOf(difference)}`);
  for (const difference of gone) print(`GONE       ${textOf(difference)}: strike it from known-differences.ts`);
  print(`${known.length} checks differ as known, ${unlisted.length} otherwise, ${gone.length} no longer`);
}

function textOf({ scenario, check, direct, through }: Outcome['unlisted'][number]): string {
  return `${scenario} ${check}: ${direct} directly, ${through} through`;
}

print(SUITE);
const upstreams = await startGovernedUpstreams();
try {
  for (const revision of revisions) {
    if (!(await compare(upstreams, revision))) process.exitCode = 1;
  }
} finally {
  await upstreams.close();
}
