import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS, NOUNS } from '../../../../src/cli/commands.ts';
import type { CommandDefinition } from '../../../../src/cli/framework/command.ts';
import { commandHelp, helpWidth, nounHelp, paragraphsOf, programHelp } from '../../../../src/cli/framework/help.ts';
import { expectGolden, GOLDEN } from '../../../fixtures/docs/golden.ts';

const named = COMMANDS.map((command): [string, CommandDefinition] => [command.path, command]);
const nouns = Object.entries(NOUNS);
const fileOf = (path: string): string => `${path.replaceAll(' ', '-')}.txt`;

function helpOfNoun(name: string, about: string, width: number): string {
  return nounHelp({ name, about, verbs: COMMANDS.filter(({ path }) => path.startsWith(`${name} `)) }, width);
}

/** All help texts, by name of their golden file. */
function everyHelp(width: number): ReadonlyMap<string, string> {
  return new Map([
    ['seneschal.txt', programHelp(COMMANDS, width)],
    ...nouns.map(([name, about]): [string, string] => [fileOf(name), helpOfNoun(name, about, width)]),
    ...COMMANDS.map((command): [string, string] => [fileOf(command.path), commandHelp(command, width)]),
  ]);
}

test.each([...everyHelp(80)])('help reads as in the golden file %s', (file, text) => {
  expectGolden(`help/${file}`, text);
});

test('help for forty columns reads as in its golden file', () => {
  expectGolden('help/40-columns/policy-explain.txt', everyHelp(40).get('policy-explain.txt') ?? '');
});

test('every golden file of help belongs to a command', () => {
  const files = readdirSync(join(GOLDEN, 'help'), { recursive: true, encoding: 'utf8' });
  const known = new Set([...everyHelp(80).keys(), '40-columns/policy-explain.txt']);
  expect(files.filter((file) => file.endsWith('.txt') && !known.has(file))).toEqual([]);
});

describe.each(named)('help of `%s`', (_, command) => {
  const text = commandHelp(command, 80);

  test('has its sections in one order', () => {
    const headings = text.split('\n').filter((line) => /^[A-Z][A-Z ]+$/.test(line));
    const expected = [
      'USAGE',
      ...(command.arguments.length > 0 ? ['ARGUMENTS'] : []),
      'FLAGS',
      'EXIT CODES',
      'EXAMPLES',
    ];
    expect(headings).toEqual(expected);
    expect(text).toMatch(/^USAGE\n {2}seneschal .*\n(?: {4}.*\n)*\n[A-Z][\s\S]*?\.\n\n(?:ARGUMENTS|FLAGS)\n/);
  });

  test('explains each exit code, including success, usage errors and Ctrl-C', () => {
    const part = /\nEXIT CODES\n([\s\S]*?)\n\n/.exec(text)?.[1] ?? '';
    const codes = [...part.matchAll(/^ {2}(\d+) +\S/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(expect.arrayContaining([0, 1, 2, 130]));
    expect(codes).toEqual([...codes].sort((one, other) => one - other));
  });

  test('has a title before each example', () => {
    const lines = /\nEXAMPLES\n([\s\S]*)$/.exec(text)?.[1]?.split('\n\n') ?? [];
    expect(lines.length).toBe(command.examples.length);
    for (const example of lines) expect(example).toMatch(/^(?: {2}# .+\n)+ {2}(?:[^#\s].*)?\bseneschal /);
    for (const { title } of command.examples) expect(title).toMatch(/^[A-Z].*[^.]$/);
  });

  test('has no placeholder, and follows the form of the others', () => {
    expect(text).not.toMatch(/TODO|FIXME|TBD|XXX|\t/);
    expect(command.summary).toMatch(/^[a-z].*[^.]$/);
    for (const { description } of [...command.arguments, ...command.flags]) expect(description).toMatch(/[^.]$/);
  });
});

test.each([40, 80, 100])(
  'no line of help is wider than %i columns, except a long word or a command to copy',
  (width) => {
    const examples = new Set(COMMANDS.flatMap((command) => command.examples.map(({ line }) => `  ${line}`)));
    const wide = [...everyHelp(width).values()]
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.length > width && !examples.has(line));
    expect(wide.filter((line) => /\S\s+\S/.test(line.trim()))).toEqual([]);
  },
);

test('an empty line separates paragraphs of help, and any other line end is a space', () => {
  expect(paragraphsOf('one\n  two\n\n  three')).toEqual(['one two', 'three']);
});

test('a narrow terminal gets the text of a flag below the flag', () => {
  const [command] = COMMANDS.filter(({ path }) => path === 'policy explain');
  expect(command && commandHelp(command, 40)).toContain('\n  --as <agent>\n    ');
});

test('help has no colours', () => {
  for (const text of everyHelp(80).values()) expect(text).toMatch(/^[\n\x20-\x7e]*$/);
});

test('every noun with verbs has a description, and every description has verbs', () => {
  const withVerbs = COMMANDS.filter(({ path }) => path.includes(' ')).map(({ path }) => path.split(' ')[0]);
  expect(new Set(withVerbs)).toEqual(new Set(Object.keys(NOUNS)));
});

test('no two commands have the same path, and none is the noun of others', () => {
  const paths = COMMANDS.map(({ path }) => path);
  expect(paths).toEqual([...new Set(paths)]);
  expect(paths.filter((path) => path in NOUNS)).toEqual([]);
});

describe('the width of help', () => {
  test.each([
    ['that of the terminal', 40, { COLUMNS: '60' }, 40],
    ['without a terminal, that of the variable', undefined, { COLUMNS: '60' }, 60],
    ['without both, 80', undefined, {}, 80],
    ['a variable that is not a number is ignored', undefined, { COLUMNS: 'wide' }, 80],
    ['at most 100', 400, {}, 100],
    ['at least 24', 3, {}, 24],
  ])('%s', (_, columns, env, expected) => {
    expect(helpWidth(columns, env)).toBe(expected);
  });
});
