import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { runInProcess } from '../../fixtures/homes/command-in-process.ts';
import { governedHome, until } from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';
import { childrenOf, isAlive } from '../../fixtures/programs/process-stats.ts';

let home: Home;
beforeAll(() => {
  home = governedHome();
});
afterAll(() => home.close());

const words = (line: string): string[] => line.split(' ').filter(Boolean);
const see = (path: string): string => `run \`seneschal ${path} --help\``;

describe('a usage error is reported with code, place and hint, and ends with 2', () => {
  test.each([
    ['polcy', 'usage-unknown-command', 'seneschal', 'did you mean `seneschal policy`? run `seneschal --help`'],
    [
      'policy explian',
      'usage-unknown-command',
      'seneschal policy',
      `did you mean \`seneschal policy explain\`? ${see('policy')}`,
    ],
    // The verb is known, its noun was left out.
    [
      'explain',
      'usage-unknown-command',
      'seneschal',
      'did you mean `seneschal policy explain`? run `seneschal --help`',
    ],
    ['nonsense', 'usage-unknown-command', 'seneschal', 'run `seneschal --help`'],
    ['nonsense --help', 'usage-unknown-command', 'seneschal', 'run `seneschal --help`'],
    ['help policy nonsense', 'usage-unknown-command', 'seneschal policy', see('policy')],
    [
      'policy check --polices x',
      'usage-unknown-flag',
      'seneschal policy check',
      `did you mean \`--policies\`? ${see('policy check')}`,
    ],
    ['keys list --zzz=1', 'usage-unknown-flag', 'seneschal keys list', see('keys list')],
    // What is for the program's own use is not suggested.
    ['serve --idle-exti 5m', 'usage-unknown-flag', 'seneschal serve', see('serve')],
    [
      'ledger show',
      'usage-missing-argument',
      'seneschal ledger show',
      `<call> is the id of the call, such as the \`decisionId\` of a refusal; ${see('ledger show')}`,
    ],
    ['policy test all', 'usage-excess-argument', 'seneschal policy test', see('policy test')],
    [
      'policy explain call tool:a/b',
      'usage-missing-flag',
      'seneschal policy explain',
      `--as <agent> is the agent, such as \`agent:demo\`; ${see('policy explain')}`,
    ],
    ['ledger list --limit', 'usage-missing-value', '--limit', see('ledger list')],
    ['keys list --output xml', 'usage-invalid-value', '--output', 'write `text` or `json`'],
    ['serve --max-calls 0', 'settings-invalid', '--max-calls', 'write a whole number above 0'],
    ['serve --waiting-calls many', 'settings-invalid', '--waiting-calls', 'write a whole number from 1 to 1000'],
    ['serve --waiting-calls 1001', 'settings-invalid', '--waiting-calls', 'write a whole number from 1 to 1000'],
    ['serve --question-expiry 25d', 'settings-invalid', '--question-expiry', 'write at most `24d`'],
  ])('`seneschal %s`', async (line, code, at, hint) => {
    const reported = await runInProcess(home, words(line));
    expect([reported.code, reported.stdout]).toEqual([2, '']);
    expect(reported.stderr.split('\n')).toEqual([expect.stringContaining(`  (${code})`), `hint: ${hint}`, '']);
    expect(reported.stderr.startsWith(`${at}: `)).toBe(true);
  });

  test('a missing command is answered by help and an error', async () => {
    const reported = await home.run(['policy']);
    expect([reported.code, reported.stdout]).toEqual([2, '']);
    expect(reported.stderr).toMatch(/^USAGE\n[\s\S]*\nCOMMANDS\n {2}policy check [\s\S]*\n\nFLAGS\n/);
    expect(reported.stderr).toMatch(
      /\n\nseneschal policy: a command is missing {2}\(usage-missing-command\)\nhint: run `seneschal policy --help`\n$/,
    );
  });

  test.each(['--output json', '--output=json'])('as one JSON line on standard error with `%s`', async (asked) => {
    const reported = await runInProcess(home, words(`policy explain call ${asked}`));
    expect([reported.code, reported.stdout]).toEqual([2, '']);
    const { problems } = JSON.parse(reported.stderr) as { problems: { code: string; at: string; hint: string }[] };
    expect(problems).toEqual([
      {
        code: 'usage-missing-flag',
        at: 'seneschal policy explain',
        message: 'the flag `--as <agent>` is missing',
        hint: `--as <agent> is the agent, such as \`agent:demo\`; ${see('policy explain')}`,
      },
    ]);
  });
});

test.each(COMMANDS.map(({ path }) => path))('`seneschal %s` refuses a flag that it does not know', async (path) => {
  const reported = await runInProcess(home, [...words(path), '--no-such-flag']);
  expect([reported.code, reported.stdout]).toEqual([2, '']);
  expect(reported.stderr).toMatch(/ {2}\(usage-(?:unknown-flag|missing-flag)\)\nhint: /);
});

test('a flag that takes a number quotes a value that is not one', async () => {
  const errorOf = async (flag: string): Promise<string> => (await runInProcess(home, ['serve', flag, '07'])).stderr;
  expect(await errorOf('--max-calls')).toMatch(
    /^--max-calls: `07` is not a whole number above 0 {2}\(settings-invalid\)\n/,
  );
  expect(await errorOf('--waiting-calls')).toMatch(
    /^--waiting-calls: `07` is not a whole number from 1 to 1000 {2}\(settings-invalid\)\n/,
  );
});

test('a problem that has no file or flag names the command that met it', async () => {
  const reported = await runInProcess(home, words('registry diff nosuch'));
  expect(reported.code).toBe(2);
  expect(reported.stderr).toMatch(/^seneschal registry diff: .* {2}\(registry-unknown-server\)\nhint: /m);
});

describe('a defect of the program', () => {
  const broken = (code: string): { readonly NODE_OPTIONS: string } => ({
    NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(code)}"`,
  });

  test('is reported without its stack, with a code and a hint, and ends with 1', async () => {
    const env = broken("process.stdout.once = () => { throw new TypeError('it is not a function'); };");
    const reported = await home.run(words('policy test'), { env });
    expect([reported.code, reported.stdout]).toEqual([1, '']);
    expect(reported.stderr).toMatch(
      /^seneschal policy test: TypeError: it is not a function {2}\(internal-defect\)\nhint: this is a defect of [^\n]*\n$/,
    );
    const json = await home.run(words('policy test --output json'), { env });
    expect([json.code, json.stdout]).toEqual([1, '']);
    expect(JSON.parse(json.stderr)).toMatchObject({ problems: [{ code: 'internal-defect' }] });
  });

  test('is reported when it is thrown outside of any await', async () => {
    const later = "setImmediate(() => { throw new RangeError('too late'); })";
    const reported = await home.run(words('policy test'), { env: broken(`process.stdout.once = () => ${later};`) });
    expect(reported.code).toBe(1);
    expect(reported.stderr).toMatch(
      /^seneschal policy test: RangeError: too late {2}\(internal-defect\)\nhint: [^\n]*\n$/,
    );
  });
});

test('a reader that has gone is no defect, but the answer was not given', async () => {
  const line = `{ "$0" "$1" policy test; echo "ended with $?" >&2; } | true`;
  const reported = await new Promise<string>((done) => {
    const options = { cwd: home.dir, env: home.environment() };
    execFile('sh', ['-c', line, process.execPath, home.command], options, (_, _stdout, stderr) => done(stderr));
  });
  expect(reported).toBe('ended with 1\n');
});

test('Ctrl-C ends a command with 130; no tool server and no hold on the data directory is left behind', async () => {
  // It answers nothing, and ignores the end of its input.
  const deaf = { type: 'stdio', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] };
  const waiting = governedHome({ servers: { deaf: `name: deaf\ntransport: ${JSON.stringify(deaf)}\n` } });
  const child = spawn(process.execPath, [waiting.command, 'registry', 'pin'], {
    cwd: waiting.dir,
    env: waiting.environment(),
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await until(() => childrenOf(child.pid).length > 0);
  const servers = childrenOf(child.pid);
  child.kill('SIGINT');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  expect([code, signal, printed]).toEqual([130, null, '']);
  expect(servers.filter(isAlive)).toEqual([]);
  expect(existsSync(waiting.path('data/holder.json'))).toBe(false);
  expect(existsSync(waiting.path('registry/registry.lock'))).toBe(false);
  await waiting.close();
});
