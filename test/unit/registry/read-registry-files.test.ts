import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Problem, ProblemError } from '../../../src/domain/problem.ts';
import { readRegistryFiles } from '../../../src/registry/load.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'registry-'));
  mkdirSync(join(dir, 'servers'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function caught(path: string): readonly Problem[] {
  try {
    readRegistryFiles(path);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems;
  }
  return [];
}

const problemsOf = (path: string): string[] =>
  caught(path).map(({ at, code, message }) => `${at.replace(dir, '')} ${code}: ${message}`);
const hintOf = (path: string): string | undefined => caught(path)[0]?.hint;

test('the files of servers, agents and the lock are read by path', () => {
  mkdirSync(join(dir, 'agents'));
  mkdirSync(join(dir, 'schema'));
  for (const path of [
    'servers/b.yaml',
    'servers/a.yaml',
    'agents/d.yaml',
    'registry.lock',
    'schema/s.json',
    'servers/.swp',
  ]) {
    writeFileSync(join(dir, path), path);
  }
  expect(Object.entries(readRegistryFiles(dir))).toEqual([
    ['agents/d.yaml', 'agents/d.yaml'],
    ['registry.lock', 'registry.lock'],
    ['servers/a.yaml', 'servers/a.yaml'],
    ['servers/b.yaml', 'servers/b.yaml'],
  ]);
});

test('a missing registry is reported with the command that creates one', () => {
  expect(problemsOf(join(dir, 'none'))).toEqual(['/none config-unreadable: there is no registry here']);
  expect(hintOf(join(dir, 'none'))).toBe(
    'run `seneschal init` to create one, or name another directory with `--registry`',
  );
});

test('a file in place of the directory is a problem', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(problemsOf(join(dir, 'file'))).toEqual([
    '/file config-unreadable: this cannot be read: it is not a directory',
  ]);
});

test('a file that is not UTF-8 is a problem', () => {
  writeFileSync(join(dir, 'servers/a.yaml'), Buffer.from([0x6e, 0xff]));
  expect(problemsOf(dir)).toEqual(['/servers/a.yaml config-unreadable: this cannot be read: it is not UTF-8']);
});

test('a broken link or a link to itself is a problem', () => {
  symlinkSync('none.yaml', join(dir, 'servers/a.yaml'));
  symlinkSync('b.yaml', join(dir, 'servers/b.yaml'));
  expect(problemsOf(dir)).toEqual([
    '/servers/a.yaml config-unreadable: this cannot be read: it does not exist',
    '/servers/b.yaml config-unreadable: this cannot be read: it is a loop of links',
  ]);
});

test('a folder that links to its parent is a problem, without an endless loop', () => {
  symlinkSync('..', join(dir, 'servers/up'));
  expect(problemsOf(dir)).toEqual(['/servers/up config-unreadable: this cannot be read: it is a loop of links']);
});
