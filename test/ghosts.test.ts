import { existsSync, readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS, NOUNS } from '../src/cli/commands.ts';
import type { CommandDefinition } from '../src/cli/framework/command.ts';
import { SETTING_FLAGS } from '../src/cli/framework/flags.ts';
import { readSettings } from '../src/config/settings.ts';
import { readYaml } from '../src/config/yaml-file.ts';
import { ERROR_CODES } from '../src/domain/error-codes.ts';
import { REASONS } from '../src/domain/reasons.ts';
import { ENTRY_KINDS } from '../src/ledger/entry.ts';
import { limitsSettings } from '../src/limits/settings.ts';
import { KEY_VARIABLE } from '../src/onboarding/connect/host-entry.ts';
import { loadPolicySet } from '../src/policy/load.ts';
import { readSuite } from '../src/policy/suite.ts';
import { LOG_EVENTS } from '../src/telemetry/log-events.ts';
import { docBlocks, docCode, projectText, typedCommands } from './fixtures/docs/doc-code.ts';

const ROOT = resolve(import.meta.dirname, '..');
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(resolve(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`);
const textOf = (folder: string): string =>
  filesBelow(folder)
    .filter((path) => path.endsWith('.ts'))
    .map(projectText)
    .join('\n');
const source = textOf('src');
const code = docCode();
const allCode = code.map(({ text }) => text).join('\n');

/** Flags of other programs that pages type. */
const FOREIGN_FLAGS = [
  'cli',
  'method',
  'tool-name',
  'tool-arg',
  'now',
  'system',
  'home-dir',
  'shell',
  'unit',
  'prefix',
  'global',
];
/** Flags that every command has, and those of the program alone. */
const COMMON_FLAGS = ['output', 'help', 'version'];
/** Variables that other programs read: what a connected agent host finds its key by. */
const FOREIGN_VARIABLES: readonly string[] = [KEY_VARIABLE];
/** Words in backticks that are no literal of the code. */
const FOREIGN_WORDS = ['ajv-formats', 'cc-42', 'ci-bot', 'name-2', 'seneschal-after'];

function flagsOf({ flags, settings }: CommandDefinition): readonly string[] {
  return [...flags.map(({ name }) => name), ...settings, ...COMMON_FLAGS];
}

function commandOf(typed: string): CommandDefinition | undefined {
  return COMMANDS.find(({ path }) => typed === path || typed.startsWith(`${path} `));
}

test('every command is typed on a page', () => {
  const typed = typedCommands().map(({ text }) => text);
  const missing = COMMANDS.filter(({ path }) => !typed.some((text) => commandOf(text)?.path === path));
  expect(missing.map(({ path }) => path)).toEqual([]);
});

test('no page types a command that does not exist', () => {
  const ghosts = typedCommands().filter(({ text }) => {
    const [noun = ''] = text.split(' ');
    if (noun.startsWith('-')) return false;
    return commandOf(text) === undefined && !(noun === text.trim() && noun in NOUNS);
  });
  expect(ghosts).toEqual([]);
});

test('every flag that help names is on a page', () => {
  const shown = COMMANDS.flatMap((command) => command.flags.filter(({ hidden }) => !hidden).map(({ name }) => name));
  const names = [...new Set([...shown, ...Object.keys(SETTING_FLAGS), 'output'])];
  expect(names.filter((name) => !new RegExp(`--${name}(?![\\w-])`).test(allCode))).toEqual([]);
});

test('no page gives a command a flag that it does not have', () => {
  const ghosts = typedCommands().flatMap(({ page, text }) => {
    const command = commandOf(text);
    const given = [...text.matchAll(/(?<=^|\s)--([a-z][a-z-]*)/g)].map(([, name = '']) => name);
    return command
      ? given
          .filter((name) => ![...flagsOf(command), ...FOREIGN_FLAGS].includes(name))
          .map((name) => `${page}: --${name}`)
      : [];
  });
  expect(ghosts).toEqual([]);
});

test('no page names a flag of no program', () => {
  const named = new Set([...allCode.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, name = '']) => name));
  const known = new Set([...COMMANDS.flatMap(flagsOf), ...FOREIGN_FLAGS]);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
  expect(FOREIGN_FLAGS.filter((name) => !named.has(name))).toEqual([]);
});

test('every environment variable that the program reads is on a page, and it reads every one of the settings', () => {
  const variables = Object.values(SETTING_FLAGS).map(({ variable = '' }) => variable);
  const read = [...source.matchAll(/\bSENESCHAL_[A-Z_]*[A-Z]/g)].map(([name]) => name);
  expect([...new Set([...variables, ...read])].filter((name) => !allCode.includes(name))).toEqual([]);
  const { data, port } = readSettings({ flags: {}, env: { SENESCHAL_DATA: 'here', SENESCHAL_PORT: '1' } });
  expect([data, port]).toEqual([
    { value: 'here', origin: 'SENESCHAL_DATA' },
    { value: 1, origin: 'SENESCHAL_PORT' },
  ]);
});

test('no page names an environment variable that no code reads', () => {
  const read = new Set([
    ...Object.values(SETTING_FLAGS).map(({ variable }) => variable),
    ...[...`${source}\n${textOf('test')}`.matchAll(/env\.(SENESCHAL_[A-Z_]+)/g)].map(([, name]) => name),
    ...FOREIGN_VARIABLES,
  ]);
  const named = new Set([...allCode.matchAll(/\bSENESCHAL_[A-Z_]+/g)].map(([name]) => name));
  expect([...named].filter((name) => !read.has(name))).toEqual([]);
});

test('every word with dashes that stands in backticks is a literal of the code, a library or a file', () => {
  const files = [...filesBelow('src'), ...filesBelow('test')].map((path) => basename(path, '.ts'));
  const libraries = projectText('package.json');
  const words = new Set(
    code.flatMap(({ text, isSpan }) => (isSpan && /^[a-z0-9]+(-[a-z0-9]+)+$/.test(text) ? text : [])),
  );
  const ghosts = [...words].filter(
    (word) =>
      !source.includes(`'${word}'`) &&
      !libraries.includes(`"${word}"`) &&
      !files.includes(word) &&
      !FOREIGN_WORDS.includes(word),
  );
  expect(ghosts).toEqual([]);
  expect(FOREIGN_WORDS.filter((word) => !words.has(word))).toEqual([]);
});

test('every key or name in camel case that stands in backticks is a word of the code', () => {
  const words = new Set(code.flatMap(({ text, isSpan }) => (isSpan && /^[a-z]+[A-Z]\w*$/.test(text) ? text : [])));
  const known = new Set(`${source}\n${projectText('docs/reference/policy.md')}`.match(/\w+/g));
  expect(words.size).toBeGreaterThan(30);
  expect([...words].filter((word) => !known.has(word))).toEqual([]);
});

test('every file of the project that a page names is there', () => {
  const named = /^(?:bench|docs|scripts|src|test)\/[\w./-]+\.\w+$/;
  const paths = new Set(code.flatMap(({ text, isSpan }) => (isSpan && named.test(text) ? text : [])));
  expect(paths.size).toBeGreaterThan(30);
  expect([...paths].filter((path) => !existsSync(resolve(ROOT, path)))).toEqual([]);
});

test('every error code that a shown message ends with exists', () => {
  const shown = code.flatMap(({ text }) => / {2}\(([a-z]+(?:-[a-z]+)+)\)$/.exec(text)?.[1] ?? []);
  expect(shown).toContain('policy-unknown-effect');
  expect(shown.filter((word) => !(word in ERROR_CODES))).toEqual([]);
});

test('every reason that a shown reply gives exists', () => {
  const shown = [...allCode.matchAll(/"reason": "([^"]+)"/g)].map(([, reason = '']) => reason);
  expect(shown).toContain('budget-exhausted');
  expect(shown.filter((reason) => !(reason in REASONS))).toEqual([]);
});

test('every event and kind of entry that a page names exists', () => {
  const known: readonly string[] = [...Object.keys(LOG_EVENTS), ...ENTRY_KINDS];
  const nouns = new Set(known.map((name) => name.split('.')[0]));
  const named = code.flatMap(({ text, isSpan }) => {
    const [, noun, verb] = isSpan ? (/^([a-z]+)\.([a-z-]+)$/.exec(text) ?? []) : [];
    return nouns.has(noun) && !/^(?:before-init|csv|json|lock|log|sock|token|yaml)$/.test(verb ?? '') ? [text] : [];
  });
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

test('every event that the code logs stands in the table at its level, and no event of the table is a ghost', () => {
  const outside = filesBelow('src').filter((path) => path.endsWith('.ts') && !path.endsWith('/log-events.ts'));
  const text = outside.map(projectText).join('\n');
  const logged = [...text.matchAll(/\blog\.(info|warn|error)\(\s*['`]([^'`]+)['`]/g)];
  expect(logged.length).toBeGreaterThan(20);
  const levels = new Map(Object.entries(LOG_EVENTS).map(([name, { level }]) => [name, level]));
  const wrong = logged.filter(([, level, name = '']) => !name.startsWith('call.$') && levels.get(name) !== level);
  expect(wrong.map(([all]) => all)).toEqual([]);
  const outcomes = ['call.completed', 'call.refused', 'call.failed', 'call.input-required'];
  expect([...levels.keys()].filter((name) => !text.includes(`'${name}'`) && !outcomes.includes(name))).toEqual([]);
});

test('every example of a policy, of limits and of policy tests can be loaded', () => {
  const loaded = docBlocks().flatMap(({ page, language, path, text }): readonly unknown[] => {
    const isWrongOnPurpose = text.includes('denny');
    if (language === 'csv' && !isWrongOnPurpose) return [loadPolicySet({ 'policy.csv': text })];
    if (path === 'policies/limits.yaml') return [readYaml(page, text, limitsSettings)];
    return path?.startsWith('policies/tests/') ? [readSuite(page, text)] : [];
  });
  expect(loaded.length).toBeGreaterThanOrEqual(7);
});
