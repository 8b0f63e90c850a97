import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { EMPTY_LIMITS, loadLimits } from '../../../src/limits/load.ts';
import { callOf } from './limited-call.ts';

function problemsOf(text: string): string[] {
  try {
    loadLimits('policies/limits.yaml', text);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems.map(({ at, code }) => `${at} ${code}`);
    throw error;
  }
  return [];
}

const GOOD = `rates:
  - { subject: "agent:*", resource: "tool:*", action: call, limit: 600/m, burst: 50 }
concurrency:
  - { subject: "agent:*", resource: "tool:crm/*", limit: 8 }
budgets:
  - { subject: "agent:demo", resource: "tool:*", window: day, hard: { calls: 100, usd: "5.00" }, soft: 80% }
`;

describe('a valid limits.yaml', () => {
  test('parses a rate to an interval and a tolerance in microseconds', () => {
    const [rate] = loadLimits('policies/limits.yaml', GOOD).rates;
    expect(rate).toMatchObject({
      at: 'limits.yaml:2',
      action: 'call',
      limit: '600/m',
      burst: 50,
      cell: { emissionUs: 100_000, toleranceUs: 4_900_000 },
    });
  });

  test('parses a budget to calls and whole nano-dollars, with the amounts of its soft share', () => {
    const [budget] = loadLimits('policies/limits.yaml', GOOD).budgets;
    expect(budget).toMatchObject({
      at: 'limits.yaml:6',
      action: '*',
      window: 'day',
      hard: { calls: 100, nanoUsd: 5_000_000_000 },
      softPercent: 80,
      soft: { calls: 80, nanoUsd: 4_000_000_000 },
    });
  });

  test('gives a rate without burst a tenth of its calls, rounded up', () => {
    const rates = loadLimits(
      'limits.yaml',
      'rates:\n  - { subject: "*", resource: "*", limit: 600/m }\n  - { subject: "*", resource: "*", limit: 5/h }\n',
    ).rates;
    expect(rates.map((rate) => rate.burst)).toEqual([60, 1]);
  });

  test('gives a budget without a soft share 80 %', () => {
    const text = 'budgets:\n  - { subject: "*", resource: "*", window: hour, hard: { calls: 9 } }\n';
    expect(loadLimits('limits.yaml', text).budgets[0]).toMatchObject({ softPercent: 80, soft: { calls: 8 } });
  });

  test('rounds the interval up to a microsecond, so the rate never admits more', () => {
    const text = 'rates:\n  - { subject: "*", resource: "*", limit: 7/s }\n';
    expect(loadLimits('limits.yaml', text).rates[0]?.cell.emissionUs).toBe(142_858);
  });

  test('keeps the id of a row while other rows and its own amounts change', () => {
    const before = loadLimits('limits.yaml', GOOD).budgets[0]?.id;
    const text = `budgets:
  - { subject: "role:x", resource: "tool:*", window: day, hard: { calls: 1 } }
  - { subject: "agent:demo", resource: "tool:*", window: day, hard: { calls: 7 }, soft: 10% }
`;
    expect(loadLimits('limits.yaml', text).budgets[1]?.id).toBe(before);
  });
});

describe('an invalid limits.yaml is refused with the line and column of', () => {
  const rate = (fields: string): string => `rates:\n  - { subject: "*", resource: "*", ${fields} }\n`;
  const budget = (fields: string): string => `budgets:\n  - { subject: "*", resource: "*", ${fields} }\n`;
  const cases: readonly (readonly [name: string, text: string, problem: string])[] = [
    ['a unit that does not exist', rate('limit: 5/w'), '2:43 config-invalid-value'],
    ['a rate without a unit', rate('limit: 5'), '2:43 config-invalid-value'],
    ['a rate of zero', rate('limit: 0/s'), '2:43 config-invalid-value'],
    ['a negative rate', rate('limit: -5/s'), '2:43 config-invalid-value'],
    ['a rate too high to pace', rate('limit: 10001/s'), '2:43 limits-rate-too-high'],
    ['a burst of zero', rate('limit: 5/s, burst: 0'), '2:55 config-invalid-value'],
    ['a burst that is no whole number', rate('limit: 5/s, burst: 1.5'), '2:55 config-invalid-value'],
    ['an unknown key', rate('limit: 5/s, brust: 2'), '2:48 config-unknown-key'],
    ['an unknown action', rate('limit: 5/s, action: write'), '2:56 config-invalid-value'],
    ['an unknown list', 'rate: []\n', '1:1 config-unknown-key'],
    ['a window that does not exist', budget('window: year, hard: { calls: 1 }'), '2:44 config-invalid-value'],
    ['dollars as a number', budget('window: day, hard: { usd: 5.00 }'), '2:62 config-invalid-value'],
    ['dollars with ten decimals', budget('window: day, hard: { usd: "0.0000000001" }'), '2:62 config-invalid-value'],
    ['negative dollars', budget('window: day, hard: { usd: "-1" }'), '2:62 config-invalid-value'],
    ['no dollars at all', budget('window: day, hard: { usd: "0.00" }'), '2:62 limits-budget-amount'],
    [
      'more dollars than an integer holds',
      budget('window: day, hard: { usd: "9999999" }'),
      '2:62 limits-budget-amount',
    ],
    ['negative calls', budget('window: day, hard: { calls: -1 }'), '2:64 config-invalid-value'],
    ['a budget of nothing', budget('window: day, hard: {}'), '2:55 limits-budget-empty'],
    ['a soft share over 100 %', budget('window: day, hard: { calls: 1 }, soft: 101%'), '2:75 config-invalid-value'],
    ['a soft share without its sign', budget('window: day, hard: { calls: 1 }, soft: 80'), '2:75 config-invalid-value'],
  ];
  test.each(cases)('%s', (_name, text, problem) => {
    expect(problemsOf(text)).toEqual([`policies/limits.yaml:${problem}`]);
  });

  test('a subject of an unknown kind, which would match no call', () => {
    expect(problemsOf('rates:\n  - { subject: "agents:*", resource: "*", limit: 5/s }\n')).toEqual([
      'policies/limits.yaml:2:16 config-invalid-value',
    ]);
  });

  test('a resource without kind, which would match no call', () => {
    expect(problemsOf('rates:\n  - { subject: "*", resource: "crm/*", limit: 5/s }\n')).toEqual([
      'policies/limits.yaml:2:31 config-invalid-value',
    ]);
  });

  test.each([
    ['a scheme in capitals', 'resource:files/FILE:///notes.md', 'resource:files/file:///notes.md'],
    ['a host in capitals', 'resource:web/https://Example.com/*', 'resource:web/https://example.com/*'],
    ['an escape that is not needed', 'resource:files/file:///%6eotes.md', 'resource:files/file:///notes.md'],
    ['a dot segment', 'resource:files/file:///a/../notes.md', 'resource:files/file:///notes.md'],
  ])('%s in the URI of a resource, with the normal form to write', (_what, resource, normal) => {
    const text = `concurrency:\n  - { subject: "*", resource: "${resource}", limit: 5 }\n`;
    expect(() => loadLimits('policies/limits.yaml', text)).toThrow(
      [
        `policies/limits.yaml:2:31: the URI of \`${resource}\` is not in normal form  (limits-uri-not-normal)`,
        `hint: write \`${normal}\``,
      ].join('\n'),
    );
  });

  test('a URI that has no normal form, in every list', () => {
    const row = 'subject: "*", resource: "resource:files/file://me@h/x"';
    const text = `rates:
  - { ${row}, limit: 5/s }
concurrency:
  - { ${row}, limit: 5 }
budgets:
  - { ${row}, window: day, hard: { calls: 1 } }
`;
    expect(problemsOf(text)).toEqual([
      'policies/limits.yaml:2:31 limits-uri-not-normal',
      'policies/limits.yaml:4:31 limits-uri-not-normal',
      'policies/limits.yaml:6:31 limits-uri-not-normal',
    ]);
  });

  test('the second of two rows with the same key, though their amounts differ', () => {
    const text = `rates:
  - { subject: "*", resource: "*", limit: 5/s }
  - { subject: "*", resource: "*", limit: 9/s, action: "*" }
`;
    expect(problemsOf(text)).toEqual(['policies/limits.yaml:3:5 limits-duplicate-row']);
  });

  test('every row at once, not only the first', () => {
    const text = 'rates:\n  - { subject: x, resource: "*", limit: 5/s }\n  - { subject: "*", resource: "*" }\n';
    expect(problemsOf(text)).toEqual([
      'policies/limits.yaml:2:16 config-invalid-value',
      'policies/limits.yaml:3:5 config-missing-key',
    ]);
  });
});

describe('a call is counted', () => {
  const keysOf = (subject: string, call = callOf({ groups: ['role:a', 'role:b', 'team:t'] })): string[] =>
    loadLimits('l.yaml', `rates:\n  - { subject: "${subject}", resource: "*", limit: 5/s }\n`)
      .match(call)
      .rates.map((counter) => counter.subject);

  test('per agent under `agent:*`', () => {
    expect(keysOf('agent:*')).toEqual(['agent:demo']);
  });

  test('per agent under `*`, and not also for its roles and team', () => {
    expect(keysOf('*')).toEqual(['agent:demo']);
  });

  test('once per role, with the other members', () => {
    expect(keysOf('role:b')).toEqual(['role:b']);
  });

  test('for each of its roles under `role:*`', () => {
    expect(keysOf('role:*')).toEqual(['role:a', 'role:b']);
  });

  test('not at all when no subject matches', () => {
    expect(keysOf('agent:other')).toEqual([]);
  });

  test('only by rows of its action', () => {
    const rules = loadLimits('l.yaml', 'rates:\n  - { subject: "*", resource: "*", action: read, limit: 5/s }\n');
    expect(rules.match(callOf({ action: 'call' })).rates).toEqual([]);
  });

  test('only by rows of its target', () => {
    const rules = loadLimits('l.yaml', 'rates:\n  - { subject: "*", resource: "tool:crm/*", limit: 5/s }\n');
    expect(rules.match(callOf({ tool: 'crm/refund' })).rates).toHaveLength(1);
    expect(rules.match(callOf({ tool: 'files/read' })).rates).toHaveLength(0);
  });

  test('by its rows in the order of the file', () => {
    const rows = ['role:a', '*', 'agent:demo'].map(
      (subject) => `  - { subject: "${subject}", resource: "*", limit: 5/s }\n`,
    );
    const rules = loadLimits('l.yaml', `rates:\n${rows.join('')}`);
    const { rates } = rules.match(callOf({ groups: ['role:a'] }));
    expect(rates.map((counter) => counter.rule.at)).toEqual(['l.yaml:2', 'l.yaml:3', 'l.yaml:4']);
  });

  test('the same way when cached', () => {
    const rules = loadLimits('l.yaml', GOOD);
    expect(rules.match(callOf())).toBe(rules.match(callOf()));
  });

  test('by other rows when only its action, target or subjects change', () => {
    const text = 'rates:\n  - { subject: "agent:demo", resource: "tool:crm/*", action: call, limit: 5/s }\n';
    const rules = loadLimits('l.yaml', text);
    const call = callOf();
    const others = [
      { ...call, action: 'read' as const },
      { ...call, target: callOf({ tool: 'files/read' }).target },
      { ...call, subjects: ['agent:other'] },
    ];
    const counted = others.flatMap((other) => [rules.match(call).rates.length, rules.match(other).rates.length]);
    expect(counted).toEqual([1, 0, 1, 0, 1, 0]);
  });

  test('by nothing when there are no limits', () => {
    expect(EMPTY_LIMITS.match(callOf())).toEqual({ rates: [], concurrency: [], budgets: [] });
  });
});
