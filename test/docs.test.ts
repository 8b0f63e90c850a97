import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { referencePages } from '../scripts/reference/reference-pages.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { SETTING_FLAGS } from '../src/cli/framework/flags.ts';
import { readSettings } from '../src/config/settings.ts';
import { ERROR_CODES } from '../src/domain/error-codes.ts';
import { REASONS } from '../src/domain/reasons.ts';

const ROOT = resolve(import.meta.dirname, '..');
const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/domain\/(reasons|error-codes)\.ts$/.test(path))
  .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n');
const page = readFileSync(join(ROOT, 'docs/reference/reasons.md'), 'utf8');

test.each([...referencePages()])('%s is what the code makes (`npm run reference`)', (path, text) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
});

test('every reason and error code of the page is in the code, and every one of the code is on the page', () => {
  const named = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1] ?? '').sort();
  expect(named).toEqual([...Object.keys(REASONS), ...Object.keys(ERROR_CODES)].sort());
});

test('every reason and error code is used by the code', () => {
  const unused = [...Object.keys(REASONS), ...Object.keys(ERROR_CODES)].filter((code) => !source.includes(`'${code}'`));
  expect(unused).toEqual([]);
});

const commandsText = readFileSync(join(ROOT, 'docs/reference/cli.md'), 'utf8');
const settingsText = readFileSync(join(ROOT, 'docs/reference/settings.md'), 'utf8');

test('every command of the code is on the page of commands with its own flags and its settings, and no other is', () => {
  const sections = commandsText.split(/^##+ /m).filter((text) => text.includes('```text\nseneschal '));
  const onPage = sections.map((text) => [
    text.split('\n')[0],
    ...[...text.matchAll(/^\| `--([\w-]+)/gm)].map(([, flag]) => flag),
    ...[...(/^Settings: .*$/m.exec(text)?.[0].matchAll(/`--([\w-]+)`/g) ?? [])].map(([, flag]) => flag),
  ]);
  const inCode = COMMANDS.map((command) => [
    command.path,
    ...command.flags.filter(({ hidden }) => !hidden).map(({ name }) => name),
    ...command.settings,
  ]);
  expect(onPage).toEqual(inCode);
});

test('the page of commands has the flags that commands share once, and names the commands without `--output`', () => {
  const shared = /^## Shared flags$([\s\S]*?)^## /m.exec(commandsText)?.[1] ?? '';
  expect([...shared.matchAll(/^\| `--([\w-]+)/gm)].map(([, flag]) => flag)).toEqual([
    ...Object.values(SETTING_FLAGS).map(({ name }) => name),
    'output',
    'help',
  ]);
  const withoutOutput = COMMANDS.filter(({ ownOutput }) => ownOutput).map(({ path }) => `\`${path}\``);
  expect(shared.replaceAll('\n', ' ')).toContain(
    `Every command takes \`--output <format>\` but ${withoutOutput.join(' and ')}.`,
  );
});

test.each([...referencePages()])(
  '%s says what it is in its first line, and where it comes from in its last',
  (_path, text) => {
    expect(text).toMatch(/^# .+\n\nReference\. (?!.*npm run reference)/);
    expect(text).toMatch(/\n---\n\nThis page is generated from `.+` by `npm run reference`\.\n$/);
  },
);

test('the declared variables and defaults are the ones that `readSettings` uses', () => {
  for (const [name, { variable = '', default: otherwise }] of Object.entries(SETTING_FLAGS)) {
    // `as`: the two tables have the same names, as their types say.
    const of = (env: Record<string, string>): { value: unknown; origin: string } =>
      readSettings({ flags: {}, env })[name as keyof typeof SETTING_FLAGS];
    expect(of({})).toEqual({ value: name === 'port' ? Number(otherwise) : otherwise, origin: 'default' });
    expect(of({ [variable]: name === 'host' ? '::1' : '1234' }).origin).toBe(variable);
  }
});

test('every variable that the code names is on the page of settings, and every one of the page is in the code', () => {
  const named = [...source.matchAll(/\bSENESCHAL_[A-Z]+\b/g)].map(([name]) => name);
  const made = Object.values(SETTING_FLAGS).map(({ variable = '' }) => variable);
  const documented = [...settingsText.matchAll(/\bSENESCHAL_[A-Z]+\b/g)].map(([name]) => name);
  expect(new Set(documented)).toEqual(new Set([...named, ...made]));
});

const model = readFileSync(join(ROOT, 'docs/explanation/security-model.md'), 'utf8');

/** Each row of the tables of threats and faults: its ids and the files that show it. */
const rows = [...model.matchAll(/^\| ((?:[A-Z]\d+(?:, )?)+) \|.*$/gm)].map(([line, ids = '']) => ({
  ids: ids.split(', '),
  files: [...line.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path]) => path ?? ''),
}));

/** Ids that the tests of a file pass to `verifies`. */
const verifiedIn = (path: string): readonly string[] =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\bverifies\(((?:'[A-Z]\d+'(?:, )?)+)\)/g)].flatMap(
    ([, ids = '']) => ids.replaceAll("'", '').split(', '),
  );

test('every test that the security model names is there', () => {
  const named = [...model.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('each row of the security model names a file that verifies it, and each file that verifies a row stands in it', () => {
  const missing = rows.flatMap(({ ids, files }) =>
    ids.filter((id) => !files.some((file) => verifiedIn(file).includes(id))),
  );
  const unnamed = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .flatMap((path) =>
      [...new Set(verifiedIn(path))]
        .filter((id) => !rows.some(({ ids, files }) => ids.includes(id) && files.includes(path)))
        .map((id) => `${id}: ${path}`),
    );
  expect({ missing, unnamed }).toEqual({ missing: [], unnamed: [] });
});
