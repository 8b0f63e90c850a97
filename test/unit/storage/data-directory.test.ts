import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findDataDirectoryHolder, openDataDirectory } from '../../../src/storage/data-directory.ts';
import { temporaryDirectory } from '../../fixtures/ledger.ts';

const root = temporaryDirectory();
afterAll(() => root.remove());

const isRoot = process.getuid?.() === 0;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a missing data directory is created for its owner only', () => {
  const path = join(root.path, 'deep', 'down');
  openDataDirectory(path).close();
  expect(modeOf(path)).toBe(0o700);
});

test('other users lose their access to a data directory', () => {
  const path = join(root.path, 'wide-open');
  mkdirSync(path);
  chmodSync(path, 0o755);
  openDataDirectory(path).close();
  expect(modeOf(path)).toBe(0o700);
});

test('a locked data directory is refused with the process that holds it', () => {
  const path = join(root.path, 'held');
  const directory = openDataDirectory(path);
  expect(() => openDataDirectory(path)).toThrow(
    expect.objectContaining({
      code: 'data-directory-in-use',
      at: path,
      message: expect.stringContaining(`process ${process.pid} holds the data directory`),
    }),
  );
  directory.close();
});

test('a data directory can be locked again when its holder has released it', () => {
  const path = join(root.path, 'again');
  openDataDirectory(path).close();
  openDataDirectory(path).close();
  expect(existsSync(join(path, 'holder.json'))).toBe(false);
});

test('the holder of a data directory can be found', () => {
  const path = join(root.path, 'asked');
  expect(findDataDirectoryHolder(path)).toBeUndefined();
  const directory = openDataDirectory(path);
  expect(findDataDirectoryHolder(path)).toEqual({ pid: process.pid });
  directory.close();
  expect(findDataDirectoryHolder(path)).toBeUndefined();
});

test('a lock holds without the file that names its holder', () => {
  const path = join(root.path, 'nameless');
  const directory = openDataDirectory(path);
  writeFileSync(join(path, 'holder.json'), 'not json');
  expect(findDataDirectoryHolder(path)).toEqual({ pid: 0 });
  expect(() => openDataDirectory(path)).toThrow('another process holds the data directory');
  directory.close();
});

test('a path that is a file is refused as unusable', () => {
  const path = join(root.path, 'a-file');
  writeFileSync(path, '');
  expect(() => openDataDirectory(path)).toThrow(
    expect.objectContaining({ code: 'data-directory-unusable', at: path, message: expect.stringContaining('EEXIST') }),
  );
});

test.skipIf(!isRoot)('a data directory of another user is refused, even to root', () => {
  const path = join(root.path, 'foreign');
  mkdirSync(path);
  chownSync(path, 12_345, 12_345);
  expect(() => openDataDirectory(path)).toThrow(
    expect.objectContaining({ code: 'data-directory-foreign-owner', at: path }),
  );
});
