import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { NODE_FLAGS } from '../../../../src/cli/daemon/background-daemon.ts';

const textOf = (path: string): string => readFileSync(resolve(import.meta.dirname, '../../../..', path), 'utf8');

test.each([
  ['package.json', 'node --max-semi-space-size=64 dist/cli/main.js serve'],
  ['docs/how-to/run-under-systemd.md', 'ExecStart=/usr/bin/node --max-semi-space-size=64 /opt/'],
])('%s starts a broker with the flags that one in the background has', (path, command) => {
  expect(NODE_FLAGS).toEqual(['--max-semi-space-size=64']);
  expect(textOf(path)).toContain(command);
});
