import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTextFiles } from '../../../src/config/text-file.ts';
import { ProblemError } from '../../../src/domain/problem.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sen-texts-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const problemsOf = (): readonly string[] => {
  try {
    readTextFiles(dir, { folders: ['tests'] });
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems.map(({ at, message }) => `${at.slice(dir.length + 1)}: ${message}`);
  }
};

test('files of the directory and of the named folders are read, and other folders are skipped', () => {
  for (const folder of ['tests', 'notes']) mkdirSync(join(dir, folder));
  writeFileSync(join(dir, 'policy.csv'), 'p');
  writeFileSync(join(dir, 'tests/a.yaml'), 'a');
  writeFileSync(join(dir, 'notes/b.txt'), 'b');
  expect(readTextFiles(dir, { folders: ['tests'] })).toEqual({ 'policy.csv': 'p', 'tests/a.yaml': 'a' });
});

test('a directory with the name of a file is refused and does not count as an absent file', () => {
  mkdirSync(join(dir, 'limits.yaml'));
  expect(problemsOf()).toEqual(['limits.yaml: this cannot be read: it is a directory']);
});
