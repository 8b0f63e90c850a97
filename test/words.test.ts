import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commentsOf, ROOT, sourceFiles } from './fixtures/source-files.ts';

/** Words of no standard. Each has a plain word of MCP, HTTP, policy engines or English beside it. */
const BANNED: Readonly<Record<string, string>> = {
  'halls?': 'broker, pipeline',
  'worlds?': 'snapshot',
  'legs?': 'round, request',
  'doors?': 'endpoint, listener',
  'books?': 'ledger',
  'shel(?:f|ves)': 'index, store',
  'walk(?:s|ed|ing)?': 'run, call state',
  'dress(?:ed|es)?': 'rewrite, configure',
  'hear(?:s|er|ers|d)': 'listener, receive',
  'adopt(?:s|ed|ion)?': 'import',
  'wish(?:es|ed)?': 'request, want',
  'houses?': 'system, process',
  'streets?': 'command line',
  told: 'declared, notified, replied',
  'tells of': 'reports',
  'mend(?:s|ed)?': 'fix, recover',
  farewell: 'close event',
  guilty: 'failed',
  'crowd(?:s|ed)?': 'conflict',
  'postures?': 'failure mode',
  nobody: 'no one, no agent',
  whoever: 'a caller that',
  'original tools?': 'source tool',
};

/** Names that are formats: the command `posture`, the stage `walk` of ledger entries, the index `entry_of_house`. */
const COMMAND_NAMES =
  /(?:seneschal |`|'|commands\/|cli\/|## |#|const |\{ )posture|^ +posture,$|['`]walk['`]|entry_of_house/g;

/** Values that the ledger has recorded since its first version: a recorded value is a format. */
const RECORDED_VALUES = /'walk'|`walk`/g;

/** Folders whose text people or engineers read. */
const READ = ['src', 'docs', 'test', 'bench', 'demo', 'scripts', 'README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

function texts(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return /\.(?:ts|mjs|md)$/.test(path) ? [path] : [];
  return readdirSync(path)
    .filter((name) => name !== 'golden' && name !== 'data')
    .flatMap((name) => texts(join(path, name)));
}

/** Splits identifiers at capitals, so that `askWorld` has the word `world`. */
const words = (text: string): string => text.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/[_-]/g, ' ');

test('no word of a private language stands in code, comments, messages or pages', () => {
  const wrong = READ.flatMap((place) => texts(join(ROOT, place)))
    .filter((path) => !path.endsWith('words.test.ts'))
    .flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          Object.entries(BANNED)
            .filter(([word]) =>
              new RegExp(`\\b(?:${word})\\b`, 'i').test(
                words(line.replaceAll(COMMAND_NAMES, '').replaceAll(RECORDED_VALUES, '')),
              ),
            )
            .map(
              ([word, instead]) => `${path.slice(ROOT.length + 1)}:${index + 1}: ${word} (${instead}): ${line.trim()}`,
            ),
        ),
    );
  expect(wrong).toEqual([]);
});

test('no doc comment begins with What, Who, Where, How, That or Whether', () => {
  const wrong = sourceFiles().flatMap((file) =>
    [...file.text.matchAll(/\/\*\*\s*\*?\s*((?:What|Who|Whom|Whose|Where|How|That|Whether)\b[^\n]*)/g)].map(
      (match) => `${file.path}: ${match[1]}`,
    ),
  );
  expect(wrong).toEqual([]);
});

test('no file name has a word of a private language', () => {
  const banned =
    /^(?:hall|world|leg|dress|dressed|told|hearers?|shelf|adopt|wish|door|book|walk|house|standing|mend|shown)(?:-|\.|$)|-(?:hall|world|leg|dress|told|shelf|door|book|walk|house)\./;
  const wrong = ['src', 'test']
    .flatMap((place) => texts(join(ROOT, place)))
    .filter((path) => banned.test(path.split('/').at(-1) ?? ''));
  expect(wrong.map((path) => path.slice(ROOT.length + 1))).toEqual([]);
});

test('a comment is not a riddle: none is longer than eight lines', () => {
  const wrong = sourceFiles().flatMap((file) =>
    commentsOf(file.text)
      .filter((comment) => comment.split('\n').length > 14)
      .map((comment) => `${file.path}: ${comment.slice(0, 80)}`),
  );
  expect(wrong).toEqual([]);
});
