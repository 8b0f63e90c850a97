import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFileDurably, replaceFileAtomically } from '../../../src/lib/atomic-file.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sen-'));
  path = join(dir, 'file.txt');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a file is replaced as a whole and leaves no temporary file', () => {
  writeFileSync(path, 'old and long');
  replaceFileAtomically(path, 'new');
  expect([readFileSync(path, 'utf8'), readdirSync(dir)]).toEqual(['new', ['file.txt']]);
});

test('a missing file is created with the requested permissions', () => {
  replaceFileAtomically(path, Buffer.from('secret'), { mode: 0o640 });
  expect(statSync(path).mode & 0o777).toBe(0o640);
});

test('an error before the rename leaves the file unchanged', () => {
  writeFileSync(path, 'old');
  const beforeRename = (): void => {
    throw new Error('changed meanwhile');
  };
  expect(() => replaceFileAtomically(path, 'new', { beforeRename })).toThrow('changed meanwhile');
  expect([readFileSync(path, 'utf8'), readdirSync(dir)]).toEqual(['old', ['file.txt']]);
});

test('a new file never overwrites an existing one', () => {
  writeFileSync(path, 'old');
  expect(() => createFileDurably(path, 'new')).toThrow('EEXIST');
  expect(readFileSync(path, 'utf8')).toBe('old');
});
