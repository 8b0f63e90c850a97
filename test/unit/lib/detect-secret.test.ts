import { describe, expect, test } from 'vitest';
import { detectSecret, secretArgument } from '../../../src/lib/secrets/detect-secret.ts';

// Assembled at run time, so secret scanners do not report this file.
const made = (...pieces: readonly string[]): string => pieces.join('');

describe('a value is a secret in clear text', () => {
  test.each([
    ['CRM_TOKEN', 'abc'],
    ['githubToken', 'abc'],
    ['APIKEY', 'abc'],
    ['x-api-key', 'abc'],
    ['DB_PASSWORD', 'hunter2'],
    ['AWS_SECRET_ACCESS_KEY', 'abc'],
    ['authorization', 'abc'],
    ['Cookie', 'a=b'],
  ])('by its name: %s', (key, value) => {
    expect(detectSecret(key, value)).toBe(`the name \`${key}\` is that of a secret`);
  });

  test.each([
    ['a GitHub token', made('gh', 'p_', 'abcdefghijklmnopqrstuvwxyz0123456789')],
    ['an AWS access key', made('AK', 'IA', 'ABCDEFGHIJKLMNOP')],
    ['a JSON Web Token', made('ey', 'JhbGciOiJIUzI1NiJ9', '.', 'eyJzdWIiOiIxMjM0In0', '.', 'c2lnbmF0dXJl')],
    ['a private key', made('-----BEGIN ', 'PRIVATE KEY-----')],
    ['a url with a password', made('postgres://ana:', 'pw@db/x')],
    ['an authorization with its credential', 'Bearer abcdefgh'],
  ])('by its format: %s', (what, value) => {
    expect(detectSecret('VALUE', value)).toBe(`the value has the form of ${what}`);
  });

  test('by its randomness', () => {
    expect(detectSecret('VALUE', 'q7Zr2Lp9XvT4bNc8WmK3sYd6')).toBe('the value looks like a random secret');
    expect(detectSecret('VALUE', '9f86d081884c7d659a2feaa0c55ad015')).toBe('the value looks like a random secret');
  });

  test('also beside a reference', () => {
    expect(detectSecret('VALUE', `${'$'}{env:A} q7Zr2Lp9XvT4bNc8WmK3sYd6`)).toBe(
      'the value looks like a random secret',
    );
  });
});

describe('a value is not a secret', () => {
  test.each([
    ['CRM_TOKEN', `${'$'}{env:CRM_TOKEN}`],
    ['authorization', `Bearer ${'$'}{file:token}`],
    ['LOG_LEVEL', 'debug'],
    ['TOKEN_LIMIT', '4096'],
    ['MAX_TOKEN', '4096'],
    ['KEY_FILE', '/etc/ssl/server-key.pem'],
    ['AUTH_MODE', 'oidc'],
    ['USE_AUTH', 'false'],
    ['MONKEY', 'banana'],
    ['CRM_TOKEN', ''],
    ['PATH', '/usr/local/bin:/usr/bin:/home/ana/.nvm/versions/node/v20.20.0/bin'],
    ['NODE_OPTIONS', '--max-old-space-size=4096 --enable-source-maps'],
    ['URL', 'https://example.org/some/long-path-with-words/2026-07-28/index.html'],
    ['MEMORY_FILE_PATH', './data/memory-of-the-knowledge-graph-2026.jsonl'],
    ['PACKAGE', '@modelcontextprotocol/server-everything'],
  ])('%s=%s', (key, value) => {
    expect(detectSecret(key, value)).toBeUndefined();
  });
});

describe('an argument', () => {
  test('is a secret when its flag says so', () => {
    expect(secretArgument('--api-key=abc', undefined)).toBe('the name `api-key` is that of a secret');
    expect(secretArgument('abc', '--password')).toBe('the name `password` is that of a secret');
  });

  test('is not a secret when it is a package, a path or another flag', () => {
    expect(secretArgument('@modelcontextprotocol/server-filesystem@2026.8.31', '-y')).toBeUndefined();
    expect(secretArgument('--verbose', '--token')).toBeUndefined();
    expect(secretArgument('./data/files', 'serve')).toBeUndefined();
  });
});
