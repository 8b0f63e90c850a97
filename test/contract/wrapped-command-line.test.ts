import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { wrapCommandLine } from '../../src/cli/framework/help.ts';

test('a wrapped command line is what it was to a shell', () => {
  const line = `printf '%s|' --as agent:demo call 'a b' "c  d" e\\ f --args '{"a": 2000, "b": 3}' | cat`;
  const wrapped = wrapCommandLine(line, 20);
  expect(wrapped.length).toBeGreaterThan(4);
  expect(wrapped.join('\n')).toContain('\n  --as agent:demo \\\n');
  expect(execFileSync('sh', ['-c', wrapped.join('\n')], { encoding: 'utf8' })).toBe(
    '--as|agent:demo|call|a b|c  d|e f|--args|{"a": 2000, "b": 3}|',
  );
});
