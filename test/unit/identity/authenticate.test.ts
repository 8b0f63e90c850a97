import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ApiKeyRecord } from '../../../src/identity/api-keys.ts';
import { createApiKey } from '../../../src/identity/api-keys.ts';
import { authenticate, type Verifier } from '../../../src/identity/authenticate.ts';
import { scaled } from '../../fixtures/scale.ts';

const ids = { uuidv7: () => '', randomBytes: (length: number) => new Uint8Array(length).fill(7) };
const made = createApiKey(ids);
const record: ApiKeyRecord = { id: made.id, agent: 'demo', secretHash: made.secretHash, createdAtMs: 0 };
const verifier = (change: Partial<ApiKeyRecord> = {}, agents: readonly string[] = ['demo']): Verifier => ({
  keyOf: (id) => (id === record.id ? { ...record, ...change } : undefined),
  agentOf: (name) => (agents.includes(name) ? { name, owner: 'ana@example.org', team: 'support' } : undefined),
  clock: { wallMs: () => 1_000, monotonicMs: () => 0 },
});

test('a key in the Authorization header authenticates its agent', () => {
  expect(authenticate({ authorization: `Bearer ${made.key}` }, verifier())).toEqual({
    ok: true,
    principal: {
      id: 'agent:demo',
      owner: 'ana@example.org',
      team: 'support',
      proof: 'api-key',
      credentialId: '0707070707070707',
    },
  });
});

test('a key in x-api-key authenticates the same agent', () => {
  expect(authenticate({ 'x-api-key': made.key }, verifier())).toMatchObject({
    ok: true,
    principal: { id: 'agent:demo' },
  });
});

test('two different keys at once are refused', () => {
  expect(authenticate({ authorization: 'Bearer other', 'x-api-key': made.key }, verifier())).toEqual({
    ok: false,
    reason: 'malformed',
  });
});

test('a message without a key is refused', () => {
  expect(authenticate({}, verifier())).toEqual({ ok: false, reason: 'missing' });
});

test('a wrong secret for a known id is refused', () => {
  const forged = `${made.key.slice(0, -1)}A`;
  expect(authenticate({ 'x-api-key': forged }, verifier())).toEqual({ ok: false, reason: 'wrong-secret' });
});

test('an unknown id never matches the hash of an empty secret', () => {
  const foreign = made.key.replace('0707070707070707', 'ffffffffffffffff');
  expect(authenticate({ 'x-api-key': foreign }, verifier())).toEqual({ ok: false, reason: 'unknown-key' });
});

test('a revoked key is refused', () => {
  expect(authenticate({ 'x-api-key': made.key }, verifier({ revokedAtMs: 5 }))).toEqual({
    ok: false,
    reason: 'revoked',
  });
});

test('a key is expired from the millisecond of its expiry on', () => {
  expect(authenticate({ 'x-api-key': made.key }, verifier({ expiresAtMs: 1_000 }))).toEqual({
    ok: false,
    reason: 'expired',
  });
  expect(authenticate({ 'x-api-key': made.key }, verifier({ expiresAtMs: 1_001 }))).toMatchObject({ ok: true });
});

test('a key of an undeclared agent is refused', () => {
  expect(authenticate({ 'x-api-key': made.key }, verifier({}, []))).toEqual({ ok: false, reason: 'unknown-agent' });
});

const proved = { authorization: `Bearer ${made.key}` };

test('every message of a connection is authenticated, and only while its key is valid', () => {
  const connection = {};
  expect(authenticate(proved, verifier(), connection)).toMatchObject({ ok: true });
  expect(authenticate(proved, verifier(), connection)).toMatchObject({ ok: true });
  const revoked = verifier({ revokedAtMs: 5 });
  expect(authenticate(proved, revoked, connection)).toEqual({ ok: false, reason: 'revoked' });
  const expired = verifier({ expiresAtMs: 1_000 });
  expect(authenticate(proved, expired, connection)).toEqual({ ok: false, reason: 'expired' });
  const other = verifier({ secretHash: new Uint8Array(32) });
  expect(authenticate(proved, other, connection)).toEqual({ ok: false, reason: 'wrong-secret' });
});

test('the credential of a connection applies neither to other headers on it nor to another connection', () => {
  const connection = {};
  expect(authenticate(proved, verifier(), connection)).toMatchObject({ ok: true });
  const forged = `${made.key.slice(0, -1)}A`;
  for (const headers of [
    { authorization: `Bearer ${forged}` },
    { ...proved, 'x-api-key': forged },
    { 'x-api-key': forged },
    { authorization: undefined },
    {},
  ]) {
    expect(authenticate(headers, verifier(), connection)).toMatchObject({ ok: false });
    expect(authenticate(proved, verifier(), connection)).toMatchObject({ ok: true });
  }
  expect(authenticate({}, verifier(), {})).toEqual({ ok: false, reason: 'missing' });
});

test('10,000 invented Authorization headers are refused', () => {
  const headers = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      "Bearer ' OR 1=1--",
      'Basic YTpi',
      'Bearer',
      'bearer  ',
      `Bearer ${made.key} `,
      `Bearer ${made.key}${made.key}`,
    ),
    fc
      .tuple(fc.stringMatching(/^[0-9a-f]{16}$/), fc.base64String({ maxLength: 44 }))
      .map(([id, secret]) => `Bearer sen_${id}_${secret}`),
  );
  fc.assert(
    fc.property(headers, (authorization) => authenticate({ authorization }, verifier()).ok === false),
    { numRuns: scaled({ small: 1_000, full: 10_000 }) },
  );
});
