import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { referencePages } from '../scripts/reference/reference-pages.ts';
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

test('no reason and no error code is a ghost that nothing says', () => {
  const unsaid = [...Object.keys(REASONS), ...Object.keys(ERROR_CODES)].filter((code) => !source.includes(`'${code}'`));
  expect(unsaid).toEqual([]);
});

test('every test that the security model names is there', () => {
  const model = readFileSync(join(ROOT, 'docs/explanation/security-model.md'), 'utf8');
  const named = [...model.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
