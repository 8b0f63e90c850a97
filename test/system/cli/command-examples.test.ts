import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import type { CommandDefinition, Example } from '../../../src/cli/framework/command.ts';
import { EXAMPLE_CALL, EXAMPLE_KEY } from '../../../src/cli/framework/command.ts';
import { EXIT } from '../../../src/cli/framework/exit-codes.ts';
import { findDataDirectoryHolder } from '../../../src/storage/data-directory.ts';
import { expectGolden, GOLDEN } from '../../fixtures/docs/golden.ts';
import { withoutVolatile } from '../../fixtures/docs/volatile-values.ts';
import { until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Ran } from '../../fixtures/homes/home.ts';
import { commandsHome, copyOf, environmentIn, type SeededHome, seededHome } from '../../fixtures/homes/seeded-home.ts';

const CHECKOUT = resolve(import.meta.dirname, '../../..');

let seeded: SeededHome;
let commands: Home;
let copy: Home | undefined;

beforeAll(async () => {
  commands = commandsHome();
  seeded = await seededHome();
});

afterEach(async () => {
  if (copy) await endBackground(copy);
  await copy?.close();
  copy = undefined;
});

afterAll(async () => {
  await seeded.home.close();
  await commands.close();
});

/** Runs a line as a person types it; with `runsOn` it is ended as by Ctrl-C when it has printed that. */
async function runLine(line: string, { within, runsOn }: { within: Home; runsOn?: string | undefined }): Promise<Ran> {
  const real = line.replaceAll(EXAMPLE_CALL, seeded.call).replaceAll(EXAMPLE_KEY, seeded.key);
  // One that runs on is the whole line: `exec` lets the signal reach it and not a shell before it.
  const child = spawn('bash', ['-c', runsOn === undefined ? real : `exec ${real}`], {
    cwd: within.dir,
    env: environmentIn(within, commands),
  });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      const before = printed[stream];
      printed[stream] += chunk.toString();
      if (runsOn !== undefined && printed[stream].includes(runsOn) && !before.includes(runsOn)) child.kill('SIGINT');
    });
  }
  child.stdin.end();
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  // As shells tell of one that ended by a signal.
  return { code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], ...printed };
}

/** Ends the broker that a line may have started in the background. */
async function endBackground(home: Home): Promise<void> {
  const holder = (): { readonly pid: number } | undefined => findDataDirectoryHolder(home.path('.seneschal'));
  const pid = holder()?.pid ?? 0;
  if (pid === 0) return;
  process.kill(pid, 'SIGKILL');
  await until(() => holder() === undefined);
}

const examples = COMMANDS.flatMap((command) =>
  command.examples.map((example): [string, Example] => [example.line, example]),
);

test.each(examples)('`%s` does what its help says', async (line, { exit = EXIT.yes, runsUntil: runsOn, within }) => {
  copy = copyOf(seeded, within);
  const { code, stdout, stderr } = await runLine(line, { within: copy, runsOn });
  expect([code, stdout]).toEqual([runsOn === undefined ? exit : EXIT.interrupted, expect.any(String)]);
  expect(stderr).not.toContain('internal-defect');
});

/** `serve` prints its log, whose lines come in the order in which servers answer. */
const hasOneAnswer = ({ ownOutput, examples: [first] }: CommandDefinition): boolean =>
  !ownOutput && first.runsUntil === undefined;

describe('`--output json`', () => {
  const asked = COMMANDS.filter(hasOneAnswer);

  test.each(asked.map((command): [string, CommandDefinition] => [command.path, command]))(
    'of `%s` reads as in its golden file',
    async (path, { examples: [{ line, exit = EXIT.yes, within }] }) => {
      expect(line).toMatch(/^seneschal /);
      copy = copyOf(seeded, within);
      const json = /--output json/.test(line) ? line : `${line} --output json`;
      const { code, stdout, stderr } = await runLine(json, { within: copy });
      expect([code, stderr]).toEqual([exit, expect.not.stringContaining('internal-defect')]);
      expect(() => JSON.parse(stdout) as unknown).not.toThrow();
      const places = { home: copy.dir, made: seeded.home.dir, checkout: CHECKOUT, node: process.execPath };
      expectGolden(`json/${path.replaceAll(' ', '-')}.json`, withoutVolatile(stdout, places));
    },
  );

  test('every golden file is of a command that there is', () => {
    const known = asked.map(({ path }) => `${path.replaceAll(' ', '-')}.json`);
    expect(readdirSync(join(GOLDEN, 'json')).filter((file) => !known.includes(file))).toEqual([]);
  });
});
