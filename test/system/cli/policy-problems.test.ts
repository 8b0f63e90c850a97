import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkPolicyFiles } from '../../../src/app/queries/policy.ts';
import { settingsFrom } from '../../../src/app/settings.ts';
import { formatProblem, ProblemError } from '../../../src/domain/problem.ts';
import { escapeControlCharactersInLines } from '../../../src/lib/text/escape-control-characters.ts';
import { DEFAULT_MODEL } from '../../../src/policy/files/model.ts';
import { governedHome } from '../../fixtures/homes/governed-home.ts';
import type { Home, Ran } from '../../fixtures/homes/home.ts';

const GOLDEN = resolve(import.meta.dirname, '../../golden/policy-problems.txt');
const FINE = 'p, role:dev, tool:tools/*, call, , allow\ng, agent:demo, role:dev\n';
const RELATIVE = { SENESCHAL_REGISTRY: 'registry', SENESCHAL_POLICIES: 'policies', SENESCHAL_DATA: 'data' };

/** Ways in which a policy file can be wrong: what is wrong, and the files that are put beside what is fine. */
const WRONG: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>> = {
  'a misspelt effect': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, , denny\n` },
  'an effect in capitals': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, , Deny\n` },
  'a missing column': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, deny\n` },
  'an extra column': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, , deny, 10\n` },
  'an unknown row type': { 'policy.csv': `${FINE}p2, role:dev, tool:tools/hang, call, , deny\n` },
  'an unknown action': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, cal, , deny\n` },
  'an unknown role': { 'policy.csv': `${FINE}p, role:dve, tool:tools/hang, call, , deny\n` },
  'an unknown set': { 'policy.csv': `${FINE}p, role:dev, set:cheap, call, , deny\n` },
  'a role used as an object': { 'policy.csv': `${FINE}p, role:dev, role:dev, call, , deny\n` },
  'a role used as an agent': {
    'policy.csv': FINE,
    'tests/demo.yaml': '- as: role:dev\n  may: [ call tool:tools/x ]\n',
  },
  'an agent used as a role': { 'policy.csv': `${FINE}g, agent:demo, agent:other\n` },
  'roles in a circle': { 'policy.csv': `${FINE}g, role:dev, role:ops\ng, role:ops, role:dev\n` },
  'a condition that is no CEL': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, "args.a <= ", deny\n` },
  'a condition that is not admitted': {
    'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, "args.a.matches('(a+)+$')", deny\n`,
  },
  'a condition on what does not exist': {
    'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, "arg.a == 1", deny\n`,
  },
  'a control character': { 'policy.csv': `${FINE}p, role:dev, tool:tools/ha\u0007ng, call, , deny\n` },
  'an invisible character': { 'policy.csv': `${FINE}p, role:dev, tool:tools/ha\u202eng, call, , deny\n` },
  'bytes that are no UTF-8': { 'policy.csv': Buffer.from('p, role:dev, tool:\xff, call, , deny\n', 'latin1') },
  'a quote that is not closed': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, "args.a, deny\n` },
  'a subject without its kind': { 'policy.csv': `${FINE}p, demo, tool:tools/hang, call, , deny\n` },
  'a comment behind a row': { 'policy.csv': `${FINE}p, role:dev, tool:tools/hang, call, , deny # not yet\n` },
  'a URI that is not in normal form': {
    'policy.csv': `${FINE}p, role:dev, resource:tools/TEST://t/%73ecret, read, , deny\n`,
  },
  'a glob of URIs that is not in normal form': {
    'policy.csv': `${FINE}p, role:dev, resource:tools/test://t/x/../%7e*, read, , deny\n`,
  },
  'a URI in a set that has no normal form': {
    'policy.csv': `${FINE}g2, resource:tools/test://me@t/x, set:cheap\np, role:dev, set:cheap, read, , deny\n`,
  },
  'several problems at once': { 'policy.csv': 'p, role:a, tool:x, call, , allw\nq\ng, agent:demo\n' },
  'a model that would allow more': {
    'policy.csv': FINE,
    'model.conf': DEFAULT_MODEL.replace(' && !some(where (p.eft == deny))', ''),
  },
  'a limit with an unknown unit': {
    'policy.csv': FINE,
    'limits.yaml': 'rates:\n  - { subject: "agent:*", resource: "tool:*", limit: 600/min, burst: 50 }\n',
  },
  'an unknown key of a limit': {
    'policy.csv': FINE,
    'limits.yaml': 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { call: 100 } }\n',
  },
  'a limit on a URI that is not in normal form': {
    'policy.csv': FINE,
    'limits.yaml': 'concurrency:\n  - { subject: "agent:*", resource: "resource:tools/TEST://t/%73ecret", limit: 1 }\n',
  },
  'money that is no amount': {
    'policy.csv': FINE,
    'limits.yaml': 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { usd: "1,50" } }\n',
  },
  'a test of the policy that is no test': {
    'policy.csv': FINE,
    'tests/demo.yaml': '- as: agent:demo\n  mey: [ call tool:x/y ]\n',
  },
  'a file that nothing reads': { 'policy.csv': FINE, 'policy.csv.bak': FINE },
  'a file that cannot be read': { 'policy.csv': 'LINK' },
};

/** Those that are asked of the built command as well. */
const ASKED_OF_THE_COMMAND = [
  ...['a misspelt effect', 'a missing column', 'an extra column', 'an unknown row type', 'an unknown action'],
  ...['an unknown role', 'a role used as an agent', 'roles in a circle', 'a condition that is no CEL'],
  ...['a condition that is not admitted', 'a control character', 'a file that cannot be read'],
];

let home: Home;

beforeAll(() => {
  home = governedHome();
});
afterAll(() => home.close());

/** Puts the files of one way into a directory of policies of its own. */
function policiesOf(what: string): string {
  const dir = home.path(`${what.replaceAll(' ', '-')}/policies`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(`${dir}/tests`, { recursive: true });
  for (const [name, text] of Object.entries(WRONG[what] ?? {})) {
    if (text === 'LINK') symlinkSync(name, `${dir}/${name}`);
    else writeFileSync(`${dir}/${name}`, text);
  }
  return dir;
}

/** What the loader says of one way, as the command line prints it. */
function reportOf(what: string): string {
  const policies = policiesOf(what);
  try {
    checkPolicyFiles(settingsFrom({ flags: { registry: home.path('registry'), policies }, env: {} }));
    return '';
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return escapeControlCharactersInLines(`${error.problems.map(formatProblem).join('\n')}\n`).replaceAll(
      policies,
      'policies',
    );
  }
}

test('each kind of mistake in a policy file is reported at its place, with a hint', async () => {
  const reported = Object.keys(WRONG).map((what) => ({ what, text: reportOf(what) }));
  // Where a place within a file can be named, it is named with line and column; each problem has its hint.
  const form = /^(?:policies\/\S+?(?::\d+:\d+)?: .+ {2}\([a-z-]+\)\nhint: .+\n)+$/;
  expect(reported.filter(({ text }) => !form.test(text))).toEqual([]);
  await expect(reported.map(({ what, text }) => `# ${what}\n${text}`).join('\n')).toMatchFileSnapshot(GOLDEN);
});

test('`policy check` and `serve` refuse twelve of them in these words, and end with 2', async () => {
  const ways = [...ASKED_OF_THE_COMMAND];
  const worker = async (): Promise<void> => {
    for (let what = ways.shift(); what !== undefined; what = ways.shift()) {
      const refused: Ran = { code: 2, stdout: '', stderr: reportOf(what) };
      const policies = home.path(`${what.replaceAll(' ', '-')}/policies`);
      const env = { SENESCHAL_POLICIES: policies, SENESCHAL_DATA: `${policies}/../data` };
      for (const args of [
        ['policy', 'check'],
        ['serve', '--port', '0'],
      ]) {
        const { code, stdout, stderr } = await home.run(args, { env });
        const reported = { code, stdout, stderr: stderr.replaceAll(policies, 'policies') };
        expect([what, args[0], reported]).toEqual([what, args[0], refused]);
      }
    }
  };
  await Promise.all([worker(), worker(), worker()]);
}, 180_000);

test('the same policies without a mistake are accepted', async () => {
  home.write({ 'policies/policy.csv': FINE });
  const { code, stderr } = await home.run(['policy', 'check'], { env: RELATIVE });
  expect([code, stderr]).toEqual([0, '']);
});
