import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import {
  type ConditionResult,
  type ConditionScope,
  createConditionCompiler,
} from '../../../src/policy/conditions/condition.ts';

const compile = createConditionCompiler();

const scope: ConditionScope = {
  args: {},
  nowMs: Date.UTC(2026, 5, 1, 12),
  principal: { agent: 'agent:desk', owner: 'ana@example.org', team: 'support', proof: 'api-key' },
  target: { server: 'crm', kind: 'tool', name: 'refund', tool: 'refund', risk: 'write', labels: ['money'] },
  context: { transport: 'http', protocolVersion: '2025-11-25' },
};

function evaluate(text: string, args: JsonObject = {}): ConditionResult {
  const condition = compile(text);
  if (!('variables' in condition)) throw new Error(condition.message);
  return condition.evaluate({ ...scope, args });
}

function defect(text: string): string {
  const condition = compile(text);
  return 'variables' in condition ? 'admitted' : `${condition.offset} ${condition.code}`;
}

describe('a condition on a number', () => {
  test.each([
    [40, 'true'],
    [40.5, 'true'],
    [100, 'true'],
    [4000, 'false'],
    [100.01, 'false'],
    [-1, 'true'],
  ])('compares %s with an integer literal', (amount, result) => {
    expect(evaluate('args.amount <= 100', { amount })).toBe(result);
  });
  test.each([
    ['args.amount == 40', 'true'],
    ['40 == args.amount', 'true'],
    ['args.amount == 40.0', 'true'],
    ['40.0 == args.amount', 'true'],
    ['args.amount != 40', 'false'],
    ['100 >= args.amount', 'true'],
    ['100.0 >= args.amount', 'true'],
    ['args.amount in [39, 40]', 'true'],
    ['args.amount in [40.0]', 'true'],
    ['int(args.amount) == 40', 'true'],
  ])('reads `%s` for the integer 40', (text, result) => {
    expect(evaluate(text, { amount: 40 })).toBe(result);
  });
  test('is an error when the argument is missing', () => {
    expect(evaluate('args.amount <= 100')).toBe('error');
  });
  test.each([['40'], [null], [true], [[40]], [{ value: 40 }]])('is an error when the argument is %j', (amount) => {
    expect(evaluate('args.amount <= 100', { amount })).toBe('error');
  });
});

describe('a condition', () => {
  test.each([
    ["args.currency == 'EUR' && args.amount <= 100", 'true'],
    ["args.nested.list[0].name == 'x'", 'true'],
    ["args['currency'] == 'EUR'", 'true'],
    ['has(args.missing)', 'false'],
    ['has(args.currency)', 'true'],
    ["args.currency.startsWith('E')", 'true'],
    ["args.currency.re2('^E.R$')", 'true'],
    ["re2(args.currency, '^USD$')", 'false'],
    ["args.nested.list.all(item, item.name == 'x')", 'true'],
    ["args.nested.list.exists(item, item.name == 'y')", 'false'],
    ["now < timestamp('2027-01-01T00:00:00Z')", 'true'],
    ["now < timestamp('2026-01-01T00:00:00Z')", 'false'],
    ["principal.team == 'support'", 'true'],
    ["principal.agent == 'agent:desk'", 'true'],
    ["target.risk == 'write' && 'money' in target.labels", 'true'],
    ["context.transport == 'http'", 'true'],
    ['args.missing == 1 || args.amount == 40', 'true'],
    ['args.missing == 1 && args.amount == 40', 'error'],
    ['args.missing == 1 && args.amount == 41', 'false'],
    ['args.flag', 'error'],
    ["principal.environment == 'prod'", 'error'],
  ])('evaluates `%s`', (text, result) => {
    const args = { amount: 40, currency: 'EUR', flag: 'yes', nested: { list: [{ name: 'x' }] } };
    expect(evaluate(text, args)).toBe(result);
  });
  test('cannot read inherited members of JavaScript objects', () => {
    expect(evaluate('has(args.constructor) || has(args.__proto__) || has(args.toString)')).toBe('false');
  });
  test('is an error, not an allow, when an argument is called `constructor`', () => {
    expect(evaluate("args.constructor == 'x'", { constructor: 'x' })).toBe('error');
  });
  test('lists the variables it reads', () => {
    const condition = compile("args.a == 1 && principal.team == 'b'");
    expect('variables' in condition ? [...condition.variables].sort() : []).toEqual(['args', 'principal']);
  });
  test('keeps its id while its text stays the same', () => {
    const condition = compile('args.amount <= 100');
    expect('id' in condition ? condition.id : '').toBe('cel:c8b25d46e9818d344b90e466');
  });
});

describe('a condition is not admitted', () => {
  test.each([
    ['when it is too long', `args.a == '${'x'.repeat(1_024)}'`, '0 policy-condition-not-admitted'],
    ['when it has too many parts', Array(80).fill('args.a').join(' && '), /policy-condition-not-admitted$/],
    ['when it is nested too deeply', `${'('.repeat(40)}true${')'.repeat(40)}`, /policy-condition-not-admitted$/],
    ['with a regular expression of the native engine', "args.a.matches('a')", '0 policy-condition-not-admitted'],
    ['with a computed regular expression', 'args.a.re2(args.b)', '0 policy-condition-not-admitted'],
    ['with a bound variable', 'cel.bind(x, args.a, x == 1)', '0 policy-condition-not-admitted'],
    ['with a function outside the list', "args.a.split('').size() > 1", /policy-condition-not-admitted$/],
    ['with a comprehension over a computed list', 'args.a.map(x, x).all(x, true)', /policy-condition-not-admitted$/],
    ['with a chain of doublings', '[args.a].map(x, x + x).map(y, y + y).size() > 1', /policy-condition-not-admitted$/],
    [
      'with three comprehensions in each other',
      'args.a.all(x, args.b.all(y, args.c.all(z, true)))',
      /policy-condition-not-admitted$/,
    ],
    ['with an element that hides a variable', 'args.a.all(args, true)', '11 policy-condition-not-admitted'],
  ])('%s', (_, text, expected) => {
    expect(defect(text)).toMatch(expected);
  });
});

describe('a condition is refused', () => {
  test.each([
    ['when it is not CEL', 'args.a ==', '9 policy-condition-invalid'],
    ['when it names something unknown', 'user == 1', '0 policy-condition-invalid'],
    ['when it names an unknown field', "principal.tean == 'x'", '0 policy-condition-invalid'],
    ['when it names an unknown field in brackets', "principal['tean'] == 'x'", '10 policy-condition-invalid'],
    ['when it is not a truth', 'size(args)', '0 policy-condition-invalid'],
    ['when its types cannot fit', "now == 'x'", '0 policy-condition-invalid'],
    ['when its regular expression is not one', "args.a.re2('(')", '0 policy-condition-invalid'],
    ['when its regular expression looks back', "args.a.re2('(a)\\\\1')", '0 policy-condition-invalid'],
  ])('%s', (_, text, expected) => {
    expect(defect(text)).toBe(expected);
  });
});

describe('an evaluation is bounded', () => {
  test('by the length of the list of a comprehension', () => {
    const numbers = (length: number): number[] => Array.from({ length }, () => 1);
    expect(evaluate('args.a.all(x, x == 1)', { a: numbers(1_000) })).toBe('true');
    expect(evaluate('args.a.all(x, x == 1)', { a: numbers(1_001) })).toBe('error');
  });
  test('by a shorter list when comprehensions are nested', () => {
    const numbers = Array.from({ length: 101 }, () => 1);
    expect(evaluate('args.a.all(x, args.a.all(y, x == y))', { a: numbers })).toBe('error');
  });
  test('by the size of the arguments of a comprehension', () => {
    expect(evaluate('args.a.all(x, args.s.contains(x))', { a: ['x'], s: 'x'.repeat(70_000) })).toBe('error');
  });
  test('by the size of the text of a regular expression', () => {
    expect(evaluate("args.s.re2('(x+x+)+y')", { s: 'x'.repeat(70_000) })).toBe('error');
  });
  test('when arguments are nested deeper than the stack', () => {
    let deep: JsonObject = {};
    for (let depth = 0; depth < 100_000; depth += 1) deep = { deep };
    let other: JsonObject = {};
    for (let depth = 0; depth < 100_000; depth += 1) other = { deep: other };
    expect(evaluate('args.a == args.b', { a: deep, b: other })).toBe('error');
  });
});
