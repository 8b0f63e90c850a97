import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directorySignature, watchDirectories } from '../../../../src/app/runtime/watch.ts';

let directory: string;
let stop = (): void => {};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sen-watch-'));
  writeFileSync(join(directory, 'policy.csv'), 'one');
});

afterEach(() => {
  stop();
  rmSync(directory, { recursive: true, force: true });
});

function nextChange(loaded: string): Promise<void> {
  return new Promise((resolve) => {
    stop = watchDirectories([directory], loaded, resolve);
  });
}

test('a file that changed while it was being loaded is a change', async () => {
  const loaded = await directorySignature([directory]);
  writeFileSync(join(directory, 'policy.csv'), 'two, longer');
  await nextChange(loaded);
});

test('a directory that is removed is a change', async () => {
  const change = nextChange(await directorySignature([directory]));
  rmSync(directory, { recursive: true });
  await change;
});

test('the signature stays the same without a change, and ignores hidden files', async () => {
  const before = await directorySignature([directory]);
  writeFileSync(join(directory, '.policy.csv.swp'), 'x');
  expect(await directorySignature([directory])).toBe(before);
});
