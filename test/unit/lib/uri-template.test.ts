import { expect, test } from 'vitest';
import { parseUriTemplate } from '../../../src/lib/uri/uri-template.ts';

function matches(template: string, uri: string): boolean {
  const read = parseUriTemplate(template);
  if (typeof read === 'string') throw new Error(read);
  return read.matches(uri);
}

test.each([
  ['demo://text/{id}', 'demo://text/1', true],
  ['demo://text/{id}', 'demo://text/', false],
  ['demo://text/{id}', 'demo://text/1/2', false],
  ['demo://text/{id}', 'demo://text/1?q', false],
  ['demo://text/{id}', 'xdemo://text/1', false],
  ['file:///{+path}', 'file:///a/b/c.md', true],
  ['file:///{dir}/{name}.md', 'file:///a/b.md', true],
  ['file:///{dir}/{name}.md', 'file:///a/bXmd', false],
  ['http://h/s{?q,page}', 'http://h/s?q=a&page=2', true],
  ['http://h/s{?q,page}', 'http://h/s', true],
  ['http://h{/a,b}/end', 'http://h/1/2/end', true],
  ['memo:fixed', 'memo:fixed', true],
])('%s and %s: %s', (template, uri, expected) => {
  expect(matches(template, uri)).toBe(expected);
});

test.each([
  ['{+uri}', 'it does not begin with a scheme in lower case'],
  ['{scheme}://x', 'it does not begin with a scheme in lower case'],
  ['file:///{', 'it is not a URI template of RFC 6570'],
  ['file:///{=x}', 'it is not a URI template of RFC 6570'],
  ['file:///{a b}', 'it is not a URI template of RFC 6570'],
  [`file:///${'{a}'.repeat(17)}`, 'it has more than 16 expressions'],
])('%s is refused: %s', (template, why) => {
  expect(parseUriTemplate(template)).toBe(why);
});

test('a template that stalls a backtracking matcher is matched in linear time', () => {
  // CVE-2026-0621: nested repetition in the SDK's own matcher.
  expect(matches('file:///{a*}{b*}{c*}{d*}{e*}{f*}!', `file:///${'a'.repeat(2_000)}`)).toBe(false);
});
