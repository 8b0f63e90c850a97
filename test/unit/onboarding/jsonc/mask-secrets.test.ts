import { expect, test } from 'vitest';
import { maskSecrets } from '../../../../src/onboarding/jsonc/mask-secrets.ts';

test('masks values and comments that hold a secret, and nothing else', () => {
  const text = `{
  // once: ghp_notARealTokenButOfItsForm0123456789
  "name": "x", // plain
  "env": { "API_KEY": "k", "PORT": "80" },
  "args": ["--token", "t0", "--token=t1", "y"]
}`;
  expect(maskSecrets(text)).toBe(`{
  /* [secret] */
  "name": "x", // plain
  "env": { "API_KEY": "[secret]", "PORT": "80" },
  "args": ["--token", "[secret]", "[secret]", "y"]
}`);
});

test('a text that is not JSON gives an empty text', () => {
  expect(maskSecrets('{ "API_KEY": k')).toBe('');
});
