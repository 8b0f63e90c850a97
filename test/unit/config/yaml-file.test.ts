import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readYaml } from '../../../src/config/yaml-file.ts';
import { ProblemError } from '../../../src/domain/problem.ts';

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z]+$/)
    .describe('Name of the thing. More words.'),
  timeout: z.string().optional().describe('How long to wait, as `30s`'),
  count: z.number().max(5).optional(),
  transport: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('stdio'), command: z.string() }),
      z.strictObject({ type: z.literal('http'), url: z.string() }),
    ])
    .optional(),
  tools: z.record(z.string(), z.strictObject({ risk: z.enum(['read', 'write']).optional() })).optional(),
  may: z.array(z.union([z.string(), z.strictObject({ call: z.string() })])).optional(),
});

function problemsOf(text: string): string[] {
  try {
    readYaml('a.yaml', text, schema);
  } catch (error) {
    if (error instanceof ProblemError)
      return error.problems.map(({ at, code, message }) => `${at} ${code}: ${message}`);
    throw error;
  }
  return [];
}

function hintOf(text: string): string | undefined {
  try {
    readYaml('a.yaml', text, schema);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]?.hint;
    throw error;
  }
  return undefined;
}

describe('a valid YAML file', () => {
  test('is read as its schema types it', () => {
    const file = readYaml('a.yaml', 'name: files\ntools:\n  write_file: { risk: write }\n', schema);
    expect(file.value).toEqual({ name: 'files', tools: { write_file: { risk: 'write' } } });
  });

  test('has the place of each value and each key', () => {
    const file = readYaml('a.yaml', 'name: files\ntools:\n  write_file: { risk: write }\n', schema);
    expect(file.at(['name'])).toBe('a.yaml:1:7');
    expect(file.at(['tools', 'write_file', 'risk'])).toBe('a.yaml:3:23');
    expect(file.keyAt(['tools', 'write_file'])).toBe('a.yaml:3:3');
  });

  test('has the place of the nearest ancestor of an absent value', () => {
    const file = readYaml('a.yaml', 'name: files\ntools:\n  write_file: { risk: write }\n', schema);
    expect(file.at(['tools', 'write_file', 'labels'])).toBe('a.yaml:3:15');
  });

  test('may begin with a byte order mark and a comment', () => {
    expect(readYaml('a.yaml', '\ufeff# yaml-language-server: $schema=x\nname: files\n', schema).value.name).toBe(
      'files',
    );
  });
});

describe('an invalid YAML file is refused with its place', () => {
  test.each([
    ['an unknown key', 'name: a\ntimout: 3s\n', 'a.yaml:2:1 config-unknown-key: unknown key `timout`'],
    [
      'an unknown nested key',
      'name: a\ntools:\n  x: { rsk: read }\n',
      'a.yaml:3:8 config-unknown-key: unknown key `rsk`',
    ],
    [
      'an unknown key of a union',
      'name: a\ntransport: { type: http, url: x, uri: y }\n',
      'a.yaml:2:34 config-unknown-key: unknown key `uri`',
    ],
    ['a missing key', 'timeout: 3s\n', 'a.yaml:1:1 config-missing-key: missing key `name`'],
    [
      'a wrong type',
      'name: a\ntimeout: 30\n',
      'a.yaml:2:10 config-invalid-value: `timeout` must be text (put it in quotes)',
    ],
    ['a wrong form', 'name: A1\n', 'a.yaml:1:7 config-invalid-value: `name` must be of the form `/^[a-z]+$/`'],
    ['a number that is too large', 'name: a\ncount: 9\n', 'a.yaml:2:8 config-invalid-value: `count` must be at most 5'],
    [
      'a word that is none of the known',
      'name: a\ntools: { x: { risk: huge } }\n',
      'a.yaml:2:21 config-invalid-value: `risk` must be `read` or `write`',
    ],
    [
      'an unknown kind',
      'name: a\ntransport: { type: carrier }\n',
      'a.yaml:2:20 config-invalid-value: `type` has an unknown value',
    ],
    ['a missing kind', 'name: a\ntransport: { url: x }\n', 'a.yaml:2:12 config-missing-key: missing key `type`'],
    [
      'a list item of the wrong type',
      'name: a\nmay: [ x, 3 ]\n',
      'a.yaml:2:11 config-invalid-value: item 2 must be text (put it in quotes) or a map',
    ],
    [
      'an unknown key in a list item',
      'name: a\nmay: [ { cal: x, call: y } ]\n',
      'a.yaml:2:10 config-unknown-key: unknown key `cal`',
    ],
    [
      'a key that is written twice',
      'name: a\nname: b\n',
      'a.yaml:2:1 config-duplicate-key: the map has this key twice',
    ],
    ['a list instead of a map', '- name\n', 'a.yaml:1:1 config-invalid-value: the file must be a map'],
    ['nothing', '', 'a.yaml:1:1 config-invalid-value: the file must be a map'],
    [
      'a tab as indentation',
      'name: a\ntools:\n\tx: {}\n',
      'a.yaml:3:1 config-syntax: a tab indents the line; YAML indents with spaces',
    ],
    [
      'an open quote',
      'name: "a\n',
      'a.yaml:2:1 config-syntax: a character is missing, such as a closing quote or bracket, a colon or a comma',
    ],
    ['a second document', 'name: a\n---\nname: b\n', 'a.yaml:2:1 config-refused-yaml: a second document begins here'],
    ['an anchor', 'name: &x a\n', 'a.yaml:1:10 config-refused-yaml: anchors (`&name`) are not supported'],
    ['a tag', 'name: !!str a\n', 'a.yaml:1:13 config-refused-yaml: tags (`!name`) are not supported'],
    [
      'a directive',
      '%YAML 1.1\n---\nname: a\n',
      'a.yaml:1:1 config-refused-yaml: directives (`%YAML`, `%TAG`) are not supported',
    ],
    [
      'a control character',
      'name: a\ntimeout: "3\u0007s"\n',
      'a.yaml:2:12 config-control-character: control character U+0007',
    ],
    [
      'a bidirectional override',
      'name: a # \u202e\n',
      'a.yaml:1:11 config-control-character: control character U+202E',
    ],
  ])('%s, at its place', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  test('an alias, with its anchor', () => {
    expect(problemsOf('name: &x a\ntimeout: *x\n')).toEqual([
      'a.yaml:1:10 config-refused-yaml: anchors (`&name`) are not supported',
      'a.yaml:2:10 config-refused-yaml: aliases (`*name`) are not supported',
    ]);
  });

  test('a merge key and a prototype key', () => {
    const problems = problemsOf('name: a\n"__proto__": { x: 1 }\n');
    expect(problems).toContain('a.yaml:2:1 config-refused-yaml: the key `__proto__` is not supported');
  });

  test('a file of more than 1 MB', () => {
    expect(problemsOf(`name: a\n# ${'x'.repeat(1_048_576)}\n`)).toEqual([
      'a.yaml config-too-large: the file is larger than 1048576 bytes',
    ]);
  });

  test.each([
    ['brackets', `name: ${'['.repeat(500_000)}`, 'a.yaml:1:133'],
    ['braces', `name: ${'{a: '.repeat(200_000)}`, 'a.yaml:1:511'],
    ['lists in one line', `name: a\n${'- '.repeat(400_000)}`, 'a.yaml:2:257'],
    [
      'maps by indentation',
      Array.from({ length: 900 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
      'a.yaml:128:128',
    ],
  ])('%s nested without end', (_what, text, at) => {
    expect(problemsOf(text)).toEqual([`${at} config-too-large: lists and maps are nested too deeply`]);
  });

  test('60,000 unknown keys', () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n');
    expect(problemsOf(keys)).toHaveLength(100);
  });

  test('all problems, in the order of the file', () => {
    expect(problemsOf('nme: a\ntimeout: 3\ncount: 9\ncount: 8\n')).toEqual([
      'a.yaml:1:1 config-missing-key: missing key `name`',
      'a.yaml:1:1 config-unknown-key: unknown key `nme`',
      'a.yaml:2:10 config-invalid-value: `timeout` must be text (put it in quotes)',
      'a.yaml:3:8 config-invalid-value: `count` must be at most 5',
      'a.yaml:4:1 config-duplicate-key: the map has this key twice',
    ]);
  });
});

describe('a hint', () => {
  test('names the nearest allowed key', () => {
    expect(hintOf('name: a\ntimout: 3s\n')).toBe(
      'did you mean `timeout`? allowed here: `name`, `timeout`, `count`, `transport`, `tools`, `may`',
    );
  });

  test('is the description of the field in the schema', () => {
    expect(hintOf('name: A1\n')).toBe('`name`: Name of the thing. More words');
  });
});
