import { expect, test } from 'vitest';
import { readSettings } from '../../../src/config/settings.ts';
import { ProblemError } from '../../../src/domain/problem.ts';

test('without flags and variables the defaults are in force', () => {
  expect(readSettings({ flags: {}, env: {} })).toEqual({
    registry: { value: './registry', origin: 'default' },
    policies: { value: './policies', origin: 'default' },
    data: { value: './.seneschal', origin: 'default' },
    port: { value: 7411, origin: 'default' },
    host: { value: '127.0.0.1', origin: 'default' },
  });
});

test('a flag overrides a variable, and a variable overrides the default', () => {
  const env = { SENESCHAL_PORT: '1', SENESCHAL_HOST: '::1', SENESCHAL_DATA: '' };
  const settings = readSettings({ flags: { port: '0' }, env });
  expect(settings.port).toEqual({ value: 0, origin: '--port' });
  expect(settings.host).toEqual({ value: '::1', origin: 'SENESCHAL_HOST' });
  expect(settings.data.origin).toBe('default');
});

test('every invalid value is reported at its flag or variable', () => {
  try {
    readSettings({ flags: { port: '65536', host: '1.2.3', registry: '' }, env: { SENESCHAL_POLICIES: 'a\nb' } });
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.problems.map(({ at, code, message }) => `${at} ${code}: ${message}`)).toEqual([
      '--registry settings-invalid: `` is not a valid directory',
      'SENESCHAL_POLICIES settings-invalid: `a\\u{a}b` is not a valid directory',
      '--port settings-invalid: `65536` is not a valid port',
      '--host settings-invalid: `1.2.3` is not a valid host',
    ]);
  }
});
