import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS, NOUNS } from '../../../../src/cli/commands.ts';
import type { CommandDefinition } from '../../../../src/cli/framework/command.ts';
import { commandHelp, helpWidth, nounHelp, programHelp } from '../../../../src/cli/framework/help.ts';
import { expectGolden, GOLDEN } from '../../../fixtures/docs/golden.ts';

const named = COMMANDS.map((command): [string, CommandDefinition] => [command.path, command]);
const nouns = Object.entries(NOUNS);
const fileOf = (path: string): string => `${path.replaceAll(' ', '-')}.txt`;

function helpOfNoun(name: string, about: string, width: number): string {
  return nounHelp({ name, about, verbs: COMMANDS.filter(({ path }) => path.startsWith(`${name} `)) }, width);
}

/** Every help there is, by name of its golden file. */
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

test('every golden file of help is of a command that there is', () => {
  const files = readdirSync(join(GOLDEN, 'help'), { recursive: true, encoding: 'utf8' });
  const known = new Set([...everyHelp(80).keys(), '40-columns/policy-explain.txt']);
  expect(files.filter((file) => file.endsWith('.txt') && !known.has(file))).toEqual([]);
});

describe.each(named)('help of `%s`', (_, command) => {
  const text = commandHelp(command, 80);

  test('has its parts, in one order', () => {
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

  test('says what each exit code means, success, wrong words and Ctrl-C among them', () => {
    const part = /\nEXIT CODES\n([\s\S]*?)\n\n/.exec(text)?.[1] ?? '';
    const codes = [...part.matchAll(/^ {2}(\d+) +\S/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(expect.arrayContaining([0, 1, 2, 130]));
    expect(codes).toEqual([...codes].sort((one, other) => one - other));
  });

  test('has before each example the wish that it fulfils', () => {
    const lines = /\nEXAMPLES\n([\s\S]*)$/.exec(text)?.[1]?.split('\n\n') ?? [];
    expect(lines.length).toBe(command.examples.length);
    for (const example of lines) expect(example).toMatch(/^(?: {2}# .+\n)+ {2}(?:[^#\s].*)?\bseneschal /);
    for (const { title: wish } of command.examples) expect(wish).toMatch(/^[A-Z].*[^.]$/);
  });

  test('says nothing that is put off, and is told in the manner of the others', () => {
    expect(text).not.toMatch(/TODO|FIXME|TBD|XXX|\t/);
    expect(command.summary).toMatch(/^[a-z].*[^.]$/);
    for (const { description: what } of [...command.arguments, ...command.flags]) expect(what).toMatch(/[^.]$/);
  });
});

test.each([40, 80, 100])('no line of help is wider than %i columns, but a word that is', (width) => {
  const wide = [...everyHelp(width).values()]
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.length > width && /\S\s+\S/.test(line.replace(/ \\$/, '').trim()));
  // A flag and its value stay together, and what is quoted stays whole.
  expect(wide.filter((line) => !/^ +(?:--[\w-]+ )?\S+$|^ +[^']*'[^']*'/.test(line.replace(/ \\$/, '')))).toEqual([]);
});

test('help has no colours, so that there are none to turn off', () => {
  for (const text of everyHelp(80).values()) expect(text).toMatch(/^[\n\x20-\x7e]*$/);
});

test('every noun with verbs is described, and every description has its verbs', () => {
  const withVerbs = COMMANDS.filter(({ path }) => path.includes(' ')).map(({ path }) => path.split(' ')[0]);
  expect(new Set(withVerbs)).toEqual(new Set(Object.keys(NOUNS)));
});

test('no two commands have one path, and none is a noun of others', () => {
  const paths = COMMANDS.map(({ path }) => path);
  expect(paths).toEqual([...new Set(paths)]);
  expect(paths.filter((path) => path in NOUNS)).toEqual([]);
});

describe('the width of help', () => {
  test.each([
    ['the terminal says it', 40, { COLUMNS: '60' }, 40],
    ['without a terminal the variable says it', undefined, { COLUMNS: '60' }, 60],
    ['without both it is 80', undefined, {}, 80],
    ['a variable that is no number says nothing', undefined, { COLUMNS: 'wide' }, 80],
    ['lines that are too long to read are not made', 400, {}, 100],
    ['a terminal without room is written over its edge', 3, {}, 24],
  ])('%s', (_, columns, env, expected) => {
    expect(helpWidth(columns, env)).toBe(expected);
  });
});
