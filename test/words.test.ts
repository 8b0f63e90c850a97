import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bannedWordsIn, bannedWordsInName } from './fixtures/banned-words.ts';
import { commentsOf, ROOT, sourceFiles } from './fixtures/source-files.ts';

/** Folders whose text people or engineers read. */
const READ = ['src', 'docs', 'test', 'bench', 'demo', 'scripts', 'README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

const MAX_COMMENT_LINES = 14;

function texts(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return /\.(?:ts|mjs|md)$/.test(path) ? [path] : [];
  return readdirSync(path)
    .filter((name) => name !== 'golden' && name !== 'data')
    .flatMap((name) => texts(join(path, name)));
}

test('no word of a private language stands in code, comments, messages or pages', () => {
  const wrong = READ.flatMap((place) => texts(join(ROOT, place)))
    .filter((path) => !path.endsWith('banned-words.ts'))
    .flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          bannedWordsIn(line).map((word) => `${path.slice(ROOT.length + 1)}:${index + 1}: ${word}: ${line.trim()}`),
        ),
    );
  expect(wrong).toEqual([]);
});

test('no file name of the tests has a word of a private language', () => {
  const wrong = texts(join(ROOT, 'test')).flatMap((path) =>
    bannedWordsInName(path).map((word) => `${path.slice(ROOT.length + 1)}: ${word}`),
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

test('no comment has more than 14 lines: a longer one belongs on a page', () => {
  const wrong = sourceFiles().flatMap((file) =>
    commentsOf(file.text)
      .filter((comment) => comment.split('\n').length > MAX_COMMENT_LINES)
      .map((comment) => `${file.path}: ${comment.slice(0, 80)}`),
  );
  expect(wrong).toEqual([]);
});
