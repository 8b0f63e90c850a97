import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { DEFAULT_MODEL } from '../../../src/policy/files/model.ts';
import { loadPolicySet } from '../../../src/policy/load.ts';
import { policyOf, refusals } from './policy-texts.ts';

const csv = (...rows: readonly string[]): readonly string[] => refusals({ 'policy.csv': rows.join('\n') });
const model = (from: string, to: string): readonly string[] =>
  refusals({ 'model.conf': DEFAULT_MODEL.replace(from, to) });

describe('a policy.csv is refused, with line and column,', () => {
  test('for a misspelled effect, even when a column is missing too', () => {
    const load = () => loadPolicySet({ 'policy.csv': 'p, role:dev, tool:gh/*, call, denny' });
    expect(load).toThrow(expect.objectContaining({ code: 'policy-unknown-effect', at: 'policy.csv:1:31' }));
  });
  test.each(['Deny', 'ALLOW', 'denied', ''])('for the effect `%s`', (effect) => {
    expect(csv(`p, agent:a, tool:b/c, call, , ${effect}`)).toContain('policy.csv:1:31 policy-unknown-effect');
  });
  test('for a missing column', () => {
    expect(csv('p, agent:a, tool:b/c, call, allow')).toEqual(['policy.csv:1:34 policy-column-missing']);
  });
  test('for an extra column', () => {
    expect(csv('p, agent:a, tool:b/c, call, , allow, 1')).toEqual(['policy.csv:1:38 policy-column-extra']);
  });
  test('for an extra column of a role', () => {
    expect(csv('g, agent:a, role:b, domain')).toEqual(['policy.csv:1:21 policy-column-extra']);
  });
  test('for a missing column of a role', () => {
    expect(csv('g, agent:a')).toEqual(['policy.csv:1:11 policy-column-missing']);
  });
  test.each(['p2', 'P', 'g3', 'q', '// p'])('for the row type `%s`', (type) => {
    expect(csv('# a', `${type}, agent:a, tool:b/c, call, , allow`)).toEqual(['policy.csv:2:1 policy-row-unknown']);
  });
  test('for an unknown action', () => {
    expect(csv('p, agent:a, tool:b/c, cal, , allow')).toEqual(['policy.csv:1:23 policy-unknown-action']);
  });
  test('for a role that no g row names', () => {
    expect(csv('p, role:dve, tool:b/c, call, , allow', 'g, agent:a, role:dev')).toEqual([
      'policy.csv:1:4 policy-unknown-role',
    ]);
  });
  test('for a set that no g2 row names', () => {
    expect(csv('p, agent:a, set:readers, call, , allow')).toEqual(['policy.csv:1:13 policy-unknown-set']);
  });
  test('for an agent used as a role', () => {
    expect(csv('g, agent:a, agent:b')).toEqual(['policy.csv:1:13 policy-kind-invalid']);
  });
  test('for a role used as an object', () => {
    expect(csv('p, agent:a, role:b, call, , allow')).toEqual(['policy.csv:1:13 policy-kind-invalid']);
  });
  test('for a tool used as a subject', () => {
    expect(csv('p, tool:a/b, tool:b/c, call, , allow')).toEqual(['policy.csv:1:4 policy-kind-invalid']);
  });
  test('for an agent in a set', () => {
    expect(csv('g2, agent:a, set:b')).toEqual(['policy.csv:1:5 policy-kind-invalid']);
  });
  test('for a cycle of roles', () => {
    expect(csv('g, agent:x, role:a', 'g, role:a, role:b', 'g, role:b, role:c', 'g, role:c, role:a')).toEqual([
      'policy.csv:4:12 policy-role-cycle',
    ]);
  });
  test('for a role that is a member of itself', () => {
    expect(csv('g, role:a, role:a')).toEqual(['policy.csv:1:12 policy-role-cycle']);
  });
  test('for a cycle of sets', () => {
    expect(csv('g2, set:a, set:b', 'g2, set:b, set:a')).toEqual(['policy.csv:2:12 policy-set-cycle']);
  });
  test('for a condition that is not CEL', () => {
    expect(csv('p, agent:a, tool:b/c, call, "args.x <= ", allow')).toEqual([
      'policy.csv:1:39 policy-condition-invalid',
    ]);
  });
  test('for a condition that is not admitted', () => {
    expect(csv(`p, agent:a, tool:b/c, call, "args.x.matches('(a+)+$')", allow`)).toEqual([
      'policy.csv:1:30 policy-condition-not-admitted',
    ]);
  });
  test('for a control character, also in a comment', () => {
    expect(csv('# a\u0000b', 'p, agent:a\u0007, tool:b/c, call, , allow')).toContain(
      'policy.csv:1:4 policy-control-character',
    );
  });
  test('for an invisible character that changes how a row reads', () => {
    expect(csv('# \u202eyned')).toEqual(['policy.csv:1:3 policy-control-character']);
  });
  test('for a byte order mark', () => {
    expect(csv('\ufeff# a')).toEqual(['policy.csv:1:1 policy-encoding']);
  });
  test('for bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('# é\n# b'), Buffer.from([0xc3, 0x28])]);
    expect(refusals({ 'policy.csv': bytes })).toEqual(['policy.csv:2:4 policy-encoding']);
  });
  test('for a quote that is not closed', () => {
    expect(csv('p, agent:a, tool:b/c, call, "true, allow')).toEqual(['policy.csv:1:29 policy-quoting']);
  });
  test('for text after a closing quote', () => {
    expect(csv('p, agent:a, tool:b/c, call, "true" x, allow')).toEqual(['policy.csv:1:36 policy-quoting']);
  });
  test('for a quote inside a plain field', () => {
    expect(csv('p, agent:a, tool:b/c, call, args.x == "y", allow')).toEqual(['policy.csv:1:39 policy-quoting']);
  });
  test('for a space in a name', () => {
    expect(csv('p, agent:a b, tool:b/c, call, , allow')).toEqual(['policy.csv:1:4 policy-name-invalid']);
  });
  test('for a name without its kind', () => {
    expect(csv('p, a, *, call, , allow')).toEqual([
      'policy.csv:1:4 policy-kind-invalid',
      'policy.csv:1:7 policy-kind-invalid',
    ]);
  });
  test('for an empty field', () => {
    expect(csv('p, , tool:b/c, call, , allow')).toEqual(['policy.csv:1:4 policy-field-empty']);
  });
  test('for a glob of roles', () => {
    expect(csv('p, role:*, tool:b/c, call, , allow', 'g, agent:a, role:b')).toContain(
      'policy.csv:1:4 policy-name-invalid',
    );
  });
  test('for a comment after a row', () => {
    expect(csv('p, agent:a, tool:b/c, call, , deny # never')).toEqual(['policy.csv:1:31 policy-unknown-effect']);
  });
});

describe('a policy.csv', () => {
  test('is refused with all problems, in file order', () => {
    expect(csv('p, role:x, tool:b/c, call, , allow', 'q', 'p, agent:a, tool:b/c, cal, , alow')).toEqual([
      'policy.csv:1:4 policy-unknown-role',
      'policy.csv:2:1 policy-row-unknown',
      'policy.csv:3:30 policy-unknown-effect',
      'policy.csv:3:23 policy-unknown-action',
    ]);
  });
  test('is named in problems as the caller names it', () => {
    const load = () => loadPolicySet({ 'policy.csv': 'q' }, { fileNames: { 'policy.csv': 'policies/policy.csv' } });
    expect(load).toThrow(expect.objectContaining({ at: 'policies/policy.csv:1:1' }));
  });
  test('may have CRLF line ends', () => {
    expect(policyOf('p, agent:a, tool:b/c, call, , deny\r', 'g, agent:a, role:b\r').rows[0]?.effect).toBe('deny');
  });
  test('keeps the line and the columns of each row', () => {
    const [row] = policyOf('', '# who', ' p,agent:a,  tool:b/c, call,"args.x == ""y""" , deny').rows;
    expect(row).toMatchObject({
      line: 3,
      columns: { subject: 4, object: 14, action: 24, when: 29, effect: 49 },
      when: 'args.x == "y"',
    });
  });
  test('allows nothing when it is empty', () => {
    const question = { subjects: ['agent:a'], object: 'tool:b/c', action: 'call' };
    expect(policyOf('').decide(question, () => 'true')).toEqual({ allowed: false, matching: [] });
  });
  test('allows nothing when it is missing', () => {
    const question = { subjects: ['agent:a'], object: 'tool:b/c', action: 'call' };
    expect(loadPolicySet({}).couldAllow(question)).toBe(false);
  });
  test('has the same revision every time it is loaded', () => {
    expect(policyOf('g, agent:a, role:b').digest).toBe(policyOf('g, agent:a, role:b').digest);
  });
  test('has the same revision when loaded from its own texts', () => {
    const first = loadPolicySet({ 'policy.csv': Buffer.from('p, agent:a, tool:b/c, call, , deny\r\n# é\n') });
    expect(loadPolicySet(first.texts).digest).toBe(first.digest);
  });
  test('has another revision when only a comment differs', () => {
    expect(policyOf('# a').digest).not.toBe(policyOf('# b').digest);
  });
});

describe('a model.conf', () => {
  test('that equals the shipped one loads', () => {
    expect(refusals({ 'model.conf': DEFAULT_MODEL })).toEqual([]);
  });
  test('may differ in white space and whole-line comments', () => {
    expect(model('r = sub, obj, act, ctx', '# who\nr=sub,obj,  act,ctx')).toEqual([]);
  });
  test('with a comment that would cut the matcher off is refused', () => {
    expect(model('&& g(r.sub', '# && g(r.sub')).toEqual([
      'model.conf:15:82 policy-model-invalid',
      'model.conf:16:1 policy-model-invalid',
    ]);
  });
  test.each(['eval', 'regexMatch', 'globMatch', 'keyMatch', 'keyMatch2', 'ipMatch'])(
    'that uses `%s` is refused',
    (name) => {
      let message = '';
      try {
        loadPolicySet({ 'model.conf': DEFAULT_MODEL.replace('glob(r.obj', `${name}(r.obj`) });
      } catch (error) {
        message = error instanceof ProblemError ? error.message : '';
      }
      expect(message).toContain(`\`${name.replace('2', '')}\` must not be used`);
    },
  );
  test('with another effect rule is refused', () => {
    expect(model(' && !some(where (p.eft == deny))', '')).toEqual(['model.conf:12:1 policy-model-invalid']);
  });
  test('with a matcher that ignores the action is refused', () => {
    expect(model('(p.act == "*" || r.act == p.act) && ', '')).toEqual(['model.conf:15:1 policy-model-invalid']);
  });
  test('with a second matcher is refused', () => {
    expect(model('[matchers]', '[matchers]\nm2 = true')).toEqual(['model.conf:15:1 policy-model-invalid']);
  });
  test('with a definition written twice is refused', () => {
    expect(model('g = _, _', 'g = _, _\ng = _, _')).toEqual(['model.conf:9:1 policy-model-invalid']);
  });
  test('that continues a line is refused', () => {
    expect(model('r = sub, obj, act, ctx', 'r = sub, obj, \\\nact, ctx')).toContain(
      'model.conf:2:15 policy-model-invalid',
    );
  });
  test('that is empty is refused', () => {
    expect(refusals({ 'model.conf': '' })).toHaveLength(6);
  });
});
