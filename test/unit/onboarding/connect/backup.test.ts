import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../../../../src/domain/problem.ts';
import { backupToRestore, replaceWithBackup, restoreBackup } from '../../../../src/onboarding/connect/backup.ts';
import { readConfigFile } from '../../../../src/onboarding/connect/config-file.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sen-hosts-'));
  file = join(dir, 'mcp.json');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const text = (path = file): string => readFileSync(path, 'utf8');
const change = (to: string): string => replaceWithBackup(readConfigFile(file), Buffer.from(to));

/** Undoes the last change; returns the code of the problem if it cannot be undone. */
function undo(force = false): string {
  const backup = backupToRestore(file, { force });
  if ('code' in backup) return backup.code;
  restoreBackup(file, backup);
  return 'done';
}

test('a change keeps the old text in a backup that only its owner can read', () => {
  writeFileSync(file, 'old', { mode: 0o644 });
  const backup = change('new');
  expect([text(), text(backup)]).toEqual(['new', 'old']);
  expect(backup.slice(dir.length)).toMatch(/^\/mcp\.json\.seneschal-[0-9a-f]{12}\.backup$/);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
});

test('a change keeps the permissions of the file', () => {
  writeFileSync(file, 'old');
  chmodSync(file, 0o640);
  change('new');
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test('an undo restores the file byte for byte and removes the backup', () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x0d, 0x0a, 0x7d]);
  writeFileSync(file, bytes);
  change('new');
  expect(undo()).toBe('done');
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect(readdirSync(dir)).toEqual(['mcp.json']);
});

test('a new file is readable only by its owner, and an undo removes it', () => {
  file = join(dir, 'new', 'mcp.json');
  change('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(undo()).toBe('done');
  expect(existsSync(file)).toBe(false);
});

test('an undo restores an empty file', () => {
  writeFileSync(file, '');
  change('new');
  undo();
  expect(text()).toBe('');
});

test('changes are undone from the last to the first, even if two wrote the same text', () => {
  writeFileSync(file, 'a');
  change('b');
  change('a');
  change('b');
  expect([undo(), text()]).toEqual(['done', 'a']);
  expect([undo(), text()]).toEqual(['done', 'b']);
  expect([undo(), text()]).toEqual(['done', 'a']);
  expect(undo()).toBe('hosts-backup-missing');
});

test('a file that was edited since is not undone without `force`', () => {
  writeFileSync(file, 'old');
  change('new');
  writeFileSync(file, 'edited');
  expect([undo(), text()]).toEqual(['hosts-file-changed', 'edited']);
  expect([undo(true), text()]).toEqual(['done', 'old']);
});

test('a file that another program changes between read and write is not overwritten', () => {
  writeFileSync(file, 'old');
  const before = readConfigFile(file);
  writeFileSync(file, 'theirs');
  expect(() => replaceWithBackup(before, Buffer.from('ours'))).toThrow(
    expect.objectContaining({ code: 'hosts-file-changed', at: file }) as ProblemError,
  );
  expect([text(), readdirSync(dir)]).toEqual(['theirs', ['mcp.json']]);
});

test('a symbolic link stays, and its target is changed', () => {
  mkdirSync(join(dir, 'dotfiles'));
  const real = join(dir, 'dotfiles', 'cursor.json');
  writeFileSync(real, 'old');
  symlinkSync(real, file);
  change('new');
  expect([text(real), lstatSync(file).isSymbolicLink()]).toEqual(['new', true]);
  undo();
  expect([text(real), lstatSync(file).isSymbolicLink()]).toEqual(['old', true]);
});

test('a file that cannot be written is a problem, and leaves no backup', () => {
  file = join(dir, 'mcp.json', 'below.json');
  writeFileSync(join(dir, 'mcp.json'), 'a file where a directory should be');
  expect(() => change('new')).toThrow(ProblemError);
  expect(readdirSync(dir)).toEqual(['mcp.json']);
});
