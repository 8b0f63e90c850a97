import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createSecretFileReader,
  resolveAllSecretReferences,
  resolveSecretReferences,
} from '../../../src/credentials/secret-references.ts';
import { type Problem, ProblemError } from '../../../src/domain/problem.ts';

const env = (name: string): string => `\${env:${name}}`;
const file = (path: string): string => `\${file:${path}}`;

let dir: string;
let warnings: Problem[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'secrets-'));
  warnings = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

function sources(variables: Record<string, string> = {}): {
  env: Record<string, string>;
  readFile: (path: string) => string;
  at: string;
} {
  const readFile = createSecretFileReader({ baseDir: dir, warn: (problem) => warnings.push(problem) });
  return { env: variables, readFile, at: 'servers/crm.yaml:2:9' };
}

function write(name: string, text: string, mode = 0o600): void {
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), mode);
}

function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ProblemError)
      return error.problems.map(({ at, code, message }) => `${at} ${code}: ${message}`);
    throw error;
  }
  return [];
}

describe('a reference', () => {
  test('to a variable is replaced within its text', () => {
    const secret = resolveSecretReferences(`Bearer ${env('CRM_TOKEN')}!`, sources({ CRM_TOKEN: 'abc' }));
    expect(secret.reveal()).toBe('Bearer abc!');
  });

  test('to a file takes its text without the trailing line end', () => {
    write('token', 'abc\n');
    expect(resolveSecretReferences(file('token'), sources()).reveal()).toBe('abc');
    expect(warnings).toEqual([]);
  });

  test('is not resolved within a resolved value', () => {
    expect(resolveSecretReferences(env('A'), sources({ A: env('B'), B: 'no' })).reveal()).toBe(env('B'));
  });

  test('is literal after `$$`', () => {
    expect(resolveSecretReferences(`$${env('A')} costs $5`, sources()).reveal()).toBe(`${env('A')} costs $5`);
  });

  test('to a file that other users can read causes a warning', () => {
    write('token', 'abc', 0o644);
    expect(resolveSecretReferences(file('token'), sources()).reveal()).toBe('abc');
    expect(warnings.map(({ code, severity }) => [code, severity])).toEqual([
      ['credentials-file-readable-by-others', 'warning'],
    ]);
  });
});

describe('a reference is refused', () => {
  test.each([
    [
      'to a variable that is not set',
      env('NONE'),
      'credentials-reference-missing: the environment variable `NONE` is not set',
    ],
    [
      'to a variable that is empty',
      env('EMPTY'),
      'credentials-reference-missing: the environment variable `EMPTY` is not set',
    ],
    [
      'to a property of every object',
      env('toString'),
      'credentials-reference-missing: the environment variable `toString` is not set',
    ],
    [
      'to a file that does not exist',
      file('none'),
      'credentials-reference-missing: the secret file `none` cannot be read or is empty',
    ],
    [
      'to a directory',
      file('folder'),
      'credentials-reference-missing: the secret file `folder` cannot be read or is empty',
    ],
    [
      'to another store',
      env('x').replace('env', 'vault'),
      'credentials-reference-invalid: a reference must be `env:NAME` (a variable) or `file:PATH` (a file)',
    ],
    ['without an end', env('X').slice(0, -1), 'credentials-reference-invalid: a reference lacks its closing `}`'],
  ])('%s', (_what, text, expected) => {
    mkdirSync(join(dir, 'folder'));
    expect(problemsOf(() => resolveSecretReferences(text, sources({ EMPTY: '' })))).toEqual([
      `servers/crm.yaml:2:9 ${expected}`,
    ]);
  });

  test('when a header would get a line end, without showing the value', () => {
    const act = () => resolveSecretReferences(env('A'), { ...sources({ A: 'abc\r\nhost: evil' }), use: 'header' });
    expect(problemsOf(act)).toEqual([
      'servers/crm.yaml:2:9 credentials-reference-invalid: the referenced secret contains a control character',
    ]);
  });
});

test('all values of a map are resolved, and all missing ones are reported at once', () => {
  const options = { ...sources({ A: '1' }), location: (key: string) => `at ${key}`, use: 'variable' as const };
  expect(
    resolveAllSecretReferences({ X: env('A'), Y: 'plain' }, options)
      .get('X')
      ?.reveal(),
  ).toBe('1');
  expect(problemsOf(() => resolveAllSecretReferences({ X: env('NO'), Y: env('NEITHER') }, options))).toEqual([
    'at X credentials-reference-missing: the environment variable `NO` is not set',
    'at Y credentials-reference-missing: the environment variable `NEITHER` is not set',
  ]);
});
