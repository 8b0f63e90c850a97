import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { readRegistryDirectory } from '../../../src/registry/read-directory.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'registry-'));
  mkdirSync(join(dir, 'servers'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function problemsOf(path: string): string[] {
  try {
    readRegistryDirectory(path);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems.map(({ at, code, message }) => `${at.replace(dir, '')} ${code}: ${message}`);
  }
  return [];
}

test('the texts of servers, agents and the lock are read, by path', () => {
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
  expect(Object.entries(readRegistryDirectory(dir))).toEqual([
    ['agents/d.yaml', 'agents/d.yaml'],
    ['registry.lock', 'registry.lock'],
    ['servers/a.yaml', 'servers/a.yaml'],
    ['servers/b.yaml', 'servers/b.yaml'],
  ]);
});

test('a directory that is not there is a problem', () => {
  expect(problemsOf(join(dir, 'none'))).toEqual(['/none config-unreadable: this cannot be read: it does not exist']);
});

test('a file that is not UTF-8 is a problem', () => {
  writeFileSync(join(dir, 'servers/a.yaml'), Buffer.from([0x6e, 0xff]));
  expect(problemsOf(dir)).toEqual(['/servers/a.yaml config-unreadable: this cannot be read: it is not UTF-8']);
});

test('a link that leads nowhere or to itself is a problem', () => {
  symlinkSync('none.yaml', join(dir, 'servers/a.yaml'));
  symlinkSync('b.yaml', join(dir, 'servers/b.yaml'));
  expect(problemsOf(dir)).toEqual([
    '/servers/a.yaml config-unreadable: this cannot be read: it does not exist',
    '/servers/b.yaml config-unreadable: this cannot be read: it is a loop of links',
  ]);
});

test('a folder that links to its parent is a problem and not endless', () => {
  symlinkSync('..', join(dir, 'servers/up'));
  expect(problemsOf(dir)).toEqual(['/servers/up config-unreadable: this cannot be read: it is a loop of links']);
});
