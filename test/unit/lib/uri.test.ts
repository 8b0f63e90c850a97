import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeUri } from '../../../src/lib/uri/uri.ts';

test.each([
  ['HTTP://Example.COM/a/./b/../c', 'http://example.com/a/c'],
  ['file:///home/%61na/notes.md', 'file:///home/ana/notes.md'],
  ['file:///a/b/..', 'file:///a/'],
  ['file:///../../etc/passwd', 'file:///etc/passwd'],
  ['file:///%2e%2e/%2E./etc/passwd', 'file:///etc/passwd'],
  ['http://example.com/a%2fb%c3%a4', 'http://example.com/a%2Fb%C3%A4'],
  ['note://MyNotes/One?q=%41#Top', 'note://MyNotes/One?q=A#Top'],
  ['urn:isbn:0451450523', 'urn:isbn:0451450523'],
  ['demo://resource/dynamic/text/1', 'demo://resource/dynamic/text/1'],
])('%s is normalized to %s', (uri, normal) => {
  expect(normalizeUri(uri)).toBe(normal);
});

test.each([
  ['no scheme', '/etc/passwd'],
  ['userinfo', 'http://ana:secret@example.com/'],
  ['userinfo behind an escape', 'http://ana%40example.com/'],
  ['a control character', 'file:///a\u0000b'],
  ['an escaped control character', 'file:///a%00b'],
  ['an escaped line break', 'file:///a%0d%0ab'],
  ['a space', 'file:///a b'],
  ['a letter that is not ASCII', 'file:///ä'],
  ['half an escape', 'file:///a%2'],
  ['a `..` behind escaped slashes', 'file:///data/..%2f..%2fetc%2fpasswd'],
  ['a `..` behind a backslash', 'file:///data/..%5c..%5cetc'],
  ['a `..` that is escaped twice', 'file:///data/%252e%252e%252fetc'],
  ['a `..` that is escaped four times', 'file:///data/%252525252e%252525252e/etc'],
  ['a `..` without a root', 'memo:../secret'],
  ['a `..` for a host', 'memo://../secret'],
  ['a `.` without a root', 'memo:a/./secret'],
  ['a `.` at the beginning without a root', 'memo:./secret'],
  ['an escaped `.` without a root', 'memo:a/%2e/secret'],
  ['a `.` behind escaped slashes', 'file:///data/a%2f.%2fsecret'],
  ['a `.` that is escaped twice', 'file:///data/%252e/secret'],
  ['a path that would be read as a host', 'memo:/.//evil/secret'],
  ['more characters than are read', `file:///${'a'.repeat(2_048)}`],
])('a URI with %s has no normal form', (_, uri) => {
  expect(normalizeUri(uri)).toBeUndefined();
});

const segment = fc.constantFrom('a', 'B', '.', '..', '%2e', '%2E%2e', '%2f', '%41', '%c3%a9', '', 'x@y', ';p=1', '%25');
const uri = fc
  .tuple(
    fc.constantFrom('file://', 'HTTP://Host', 'memo:', 'memo:a', 'Memo://Ab', 'urn:x'),
    fc.array(segment),
    fc.constantFrom('', '?q=%2e%2e/', '#f'),
  )
  .map(([start, segments, end]) => `${start}/${segments.join('/')}${end}`);

test('normalization is idempotent and leaves no dot segment', () => {
  let normal = 0;
  const property = fc.property(uri, (text) => {
    const once = normalizeUri(text);
    if (once === undefined) return;
    normal += 1;
    expect(normalizeUri(once)).toBe(once);
    const segments = once
      .replace(/[?#].*$/s, '')
      .replace(/^[^:]*:/, '')
      .split('/');
    expect(segments).not.toContain('..');
    expect(segments).not.toContain('.');
  });
  fc.assert(property, { numRuns: 2_000, seed: 20_260_131 });
  expect(normal).toBeGreaterThan(500);
});
