import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { AuthenticateRequest } from '../../../src/ingress/mcp/streamable-http/endpoint.ts';
import { modernCall, send } from '../../fixtures/clients/raw-http.ts';
import { type HttpHarness, openHarness, principalNamed } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

afterEach(() => harness.ingress.close({ drainMs: 0 }));

const ROUTES = ['POST', 'GET', 'DELETE', 'PUT'];
const UNAUTHORIZED =
  '{"error":"unauthorized","message":"a valid API key is required: send `Authorization: Bearer <key>`"}';

/** A result of a broken verifier, which no type checker sees at run time. */
function verifierOf(result: unknown): AuthenticateRequest {
  return (() => result) as unknown as AuthenticateRequest;
}

test.each([
  ['null', null],
  ['undefined', undefined],
  ['true', true],
  ['an empty object', {}],
  ['a yes without a principal', { ok: true }],
  ['a yes with no id', { ok: true, principal: {} }],
  ['a yes of another kind', { ok: 1, principal: principalNamed('demo') }],
  ['a no with a principal', { ok: false, principal: principalNamed('demo') }],
  ['a promise of a yes', Promise.resolve({ ok: true, principal: principalNamed('demo') })],
])('a verifier that returns %s authenticates no principal', async (_what, result) => {
  harness = await openHarness({ authenticate: verifierOf(result) });
  for (const method of ROUTES) {
    const { headers, body } = modernCall('files__echo');
    const answer = await send(harness.ingress.port, { method, headers, body });
    expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="seneschal"');
  }
  expect(harness.broker.calls).toEqual([]);
});

test('a verifier that throws refuses the request, and the response contains nothing of the error', async () => {
  harness = await openHarness({
    authenticate: () => {
      throw new Error('near "\'": syntax error in SELECT secret FROM api_key');
    },
  });
  for (const method of ROUTES) {
    const { headers, body } = modernCall('files__echo');
    const answer = await send(harness.ingress.port, { method, headers, body });
    expect([answer.status, answer.body]).toEqual([
      503,
      '{"error":"unavailable","message":"authentication is not available; try again later"}',
    ]);
  }
  expect(harness.broker.calls).toEqual([]);
});

const written = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) });
const anyAuthorization = fc.oneof(
  written,
  written.map((text) => `Bearer ${text}`),
  written.map((text) => `Bearer key-of-demo${text}x`),
  fc.constantFrom("Bearer ' OR 1=1--", 'Bearer', 'Basic ZGVtbzpkZW1v', 'Bearer  key-of-demo', 'Bearer key-of-Demo'),
);

test('10,000 wrong headers get the same response, whatever is wrong', async () => {
  harness = await openHarness();
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const { headers, body } = modernCall('files__echo');
  const otherAnswers: string[] = [];
  const headersToTry = fc.sample(anyAuthorization, 10_000);
  while (headersToTry.length > 0) {
    await Promise.all(
      headersToTry.splice(0, 64).map(async (authorization) => {
        const answer = await send(harness.ingress.port, { agent, headers: { ...headers, authorization }, body });
        if (answer.status !== 401 || answer.body !== UNAUTHORIZED)
          otherAnswers.push(`${authorization}: ${answer.body}`);
      }),
    );
  }
  agent.destroy();
  expect(otherAnswers).toEqual([]);
  expect(harness.broker.calls).toEqual([]);
});
