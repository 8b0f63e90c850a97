import { expect, test } from 'vitest';
import { Secret } from '../../../../src/lib/secrets/secret.ts';
import { redactedLastLine } from '../../../../src/onboarding/import/probe-drafts.ts';
import type { ServerDraft } from '../../../../src/onboarding/import/server-draft.ts';

const DRAFT: ServerDraft = {
  name: 'x',
  transport: { type: 'stdio', command: 'x', args: [], env: { A: '$' + '{env:FROM_ENV}', B: '$' + '{env:IN_CLEAR}' } },
  variables: [],
  secrets: new Map([['IN_CLEAR', new Secret('a plain passphrase')]]),
  source: 'x',
};
const ENV = { FROM_ENV: 'value-of-the-environment', OTHER: 'other' };

test('the last line with text is shown', () => {
  expect(redactedLastLine('first\r\nlast\n\n  \n', DRAFT, ENV)).toBe('last');
  expect(redactedLastLine('\n', DRAFT, ENV)).toBeUndefined();
});

test('values that the server was given are redacted, from the environment and from the file', () => {
  const line = 'no such user: value-of-the-environment / a plain passphrase';
  expect(redactedLastLine(line, DRAFT, ENV)).toBe('no such user: [secret] / [secret]');
});

test('a line that still seems to hold a secret is not shown', () => {
  expect(redactedLastLine('denied for ghp_q7Rk2mZx9LpT4vWb8NsYc3DfHg6JtUeA1o5i', DRAFT, ENV)).toBeUndefined();
});

test('control characters are escaped, and the line is at most 200 characters', () => {
  expect(redactedLastLine('\u001b[2Jgone', DRAFT, ENV)).toBe('\\u001b[2Jgone');
  expect(redactedLastLine('word '.repeat(500), DRAFT, ENV)).toHaveLength(200);
});
