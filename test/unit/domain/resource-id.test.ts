import { expect, test } from 'vitest';
import { nonCanonicalUri, normalizeResourceId } from '../../../src/domain/resource-id.ts';

test.each([
  ['resource:srv/TEST://t/x/../%73ecret', 'resource:srv/test://t/secret'],
  ['resource:srv/test://t/secret', 'resource:srv/test://t/secret'],
  ['resource:srv/test://t/{%73ecret}', 'resource:srv/test://t/{%73ecret}'],
  ['tool:srv/%73ecret', 'tool:srv/%73ecret'],
  ['resource:srv/test://me@t/x', undefined],
  ['resource:srv/test://t/%2e%2e%2fx', undefined],
])('%s is decided on as %s', (object, decided) => {
  expect(normalizeResourceId(object)).toBe(decided);
});

test.each([
  'resource:*',
  'resource:srv/*',
  'resource:srv/*://t/secret',
  'resource:srv/test*',
  'resource:srv/test://t/*.md',
  'resource:srv/test://t/%2*',
  'resource:srv/https://*.example.com/a/*?b=*',
  'resource:*/secret',
  'resource:*/test://t/secret',
  'resource:srv/test://t/{id}',
  'tool:srv/TEST://t/%73ecret',
])('%s can match', (object) => {
  expect(nonCanonicalUri(object)).toBeUndefined();
});

test.each([
  ['resource:srv/TEST://t/secret', 'resource:srv/test://t/secret'],
  ['resource:srv/test://t/%73ecret/*', 'resource:srv/test://t/secret/*'],
  ['resource:srv/*://t/a/../b', 'resource:srv/*://t/b'],
  ['resource:srv/https://*.Example.com/*', 'resource:srv/https://*.example.com/*'],
  ['resource:*/TEST://t/secret', 'resource:*/test://t/secret'],
  ['resource:srv/TEST*', 'resource:srv/test*'],
  ['resource:srv/test://me@t/*', undefined],
  ['resource:srv/notes.md', undefined],
])('%s can match no resource, and %s is what to write', (object, normal) => {
  expect(nonCanonicalUri(object)).toEqual(normal === undefined ? {} : { normal });
});
