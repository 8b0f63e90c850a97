import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The official suite, exactly so, and the Node that it needs: neither is a dependency, since they weigh 230 MB. */
export const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const NODE = 'node@22.23.3';

/** Revisions that are run. The package has no frozen requirements of 2025-06-18: there its scenarios of that revision run. */
export const REVISIONS = ['2025-06-18', '2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof REVISIONS)[number];

const SELECTION: Readonly<Record<Revision, readonly string[]>> = {
  '2025-06-18': ['--suite', 'all', '--spec-version', '2025-06-18'],
  '2025-11-25': ['--requirements', '2025-11-25'],
  '2026-07-28': ['--requirements', '2026-07-28'],
};

/** How a check ended; `unseen` when it did not come to it. */
export type Verdict = 'passed' | 'warned' | 'failed' | 'unseen';

/** What the suite found out: verdicts by check by scenario. */
export type Findings = ReadonlyMap<string, ReadonlyMap<string, Verdict>>;

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
}

const VERDICTS: Readonly<Record<Check['status'], Verdict>> = {
  ...{ SUCCESS: 'passed', FAILURE: 'failed', WARNING: 'warned', INFO: 'unseen', SKIPPED: 'unseen' },
};
const WORST_LAST: readonly Verdict[] = ['unseen', 'passed', 'warned', 'failed'];

/** Runs the server scenarios of a revision against `url`. Rejects when the suite itself could not run. */
export async function runSuite(url: string, revision: Revision): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'sen-conformance-'));
  try {
    const printed = await runPackage(['server', '--url', url, ...SELECTION[revision], '--output-dir', folder]);
    const findings = readFindings(folder);
    if (findings.size === 0) throw new Error(`the suite ran no scenario:\n${printed}`);
    return findings;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runPackage(args: readonly string[]): Promise<string> {
  const line = ['--yes', '-p', NODE, '-p', SUITE, 'conformance', ...args];
  // It exits 1 when a scenario fails: what it found is in its files.
  return new Promise((done) => {
    execFile('npx', line, { maxBuffer: 256 * 1024 * 1024 }, (_error, stdout, stderr) => done(stdout + stderr));
  });
}

function readFindings(folder: string): Findings {
  const findings = new Map<string, ReadonlyMap<string, Verdict>>();
  for (const name of readdirSync(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) continue;
    // `as`: the suite writes its checks so.
    const checks = JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as readonly Check[];
    findings.set(scenario, worstById(checks));
  }
  return findings;
}

/** One verdict for each id, the worst: the suite makes several checks of one id. */
function worstById(checks: readonly Check[]): ReadonlyMap<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const { id, status } of checks) {
    verdicts.set(id, worse(verdicts.get(id) ?? 'unseen', VERDICTS[status]));
  }
  return verdicts;
}

export function worse(one: Verdict, other: Verdict): Verdict {
  return WORST_LAST.indexOf(one) > WORST_LAST.indexOf(other) ? one : other;
}
