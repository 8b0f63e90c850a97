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

test('a directory that is taken away is a change', async () => {
  const told = nextChange(await directorySignature([directory]));
  rmSync(directory, { recursive: true });
  await told;
});

test('the signature is the same while nothing changes, and knows hidden files and schemas not', async () => {
  const before = await directorySignature([directory]);
  writeFileSync(join(directory, '.policy.csv.swp'), 'x');
  expect(await directorySignature([directory])).toBe(before);
});
