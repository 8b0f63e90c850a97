import { expect, test } from 'vitest';
import { withSafeIcons } from '../../../src/domain/mcp/safe-icons.ts';

function shown(...sources: readonly string[]): unknown {
  return withSafeIcons({ name: 't', icons: sources.map((src) => ({ src })) });
}

test('icons at https and images in data URIs are shown, and the definition is the same object', () => {
  const definition = {
    name: 't',
    icons: [
      { src: 'https://example.org/i.png', mimeType: 'image/png', sizes: ['48x48'] },
      { src: 'data:image/png;base64,AA==' },
      { src: 'data:image/svg+xml,%3Csvg/%3E' },
    ],
  };
  expect(withSafeIcons(definition)).toBe(definition);
});

for (const src of [
  'javascript:alert(1)',
  ' JavaScript:alert(1)',
  'java\nscript:alert(1)',
  'file:///etc/passwd',
  'http://example.org/i.png',
  'data:text/html,<script>alert(1)</script>',
  'data:text/html;x=image/png,<script>',
  'data:,image/png',
  'blob:https://example.org/1',
  'ftp://example.org/i.png',
  '/i.png',
  '',
]) {
  test(`an icon at ${JSON.stringify(src)} is not shown`, () => {
    expect(shown(src)).toEqual({ name: 't' });
    expect(shown('https://example.org/i.png', src)).toEqual({
      name: 't',
      icons: [{ src: 'https://example.org/i.png' }],
    });
  });
}

test('icons that are no list of icons are not shown', () => {
  expect(withSafeIcons({ name: 't', icons: 'javascript:alert(1)' })).toEqual({ name: 't' });
  expect(withSafeIcons({ name: 't', icons: ['https://example.org/i.png', {}, { src: 1 }, null] })).toEqual({
    name: 't',
  });
});
