import { rmSync } from 'node:fs';
import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterEach, expect } from 'vitest';
import { modernCall, send } from '../../../fixtures/clients/raw-http.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, ledgerOf, openLedgerDatabase, until } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import { scaled } from '../../../fixtures/scale.ts';

/** Invented headers that are tried against the real key store. */
const TRIES = scaled({ small: 200, full: 10_000 });

let home: Home;

afterEach(() => home.close());

const printable = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) });
const hex = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 16, maxLength: 16 });
const INJECTIONS = [
  ...["Bearer ' OR 1=1--", "Bearer sen_' OR '1'='1_x", 'Bearer "; DROP TABLE api_key; --', "Bearer '||(SELECT 1)||'"],
  ...["Bearer sen_0000000000000000_' OR 1=1--", "Bearer ' UNION SELECT * FROM api_key--", 'Bearer $(id)', 'Bearer %00'],
];

verifies('O10')(
  'invented keys and injections are all the same 401, make no SQL error, and leave the store as it was',
  async () => {
    home = governedHome();
    const served = await home.serve();
    const port = Number(new URL(served.url).port);
    const key = await home.key('demo');
    const keyId = key.slice(4, 20);
    const invented = fc.oneof(
      printable,
      printable.map((text) => `Bearer ${text}`),
      fc.tuple(hex, printable).map(([id, secret]) => `Bearer sen_${id}_${secret}`),
      printable.map((secret) => `Bearer sen_${keyId}_${secret}`),
      fc.constantFrom(
        ...INJECTIONS,
        `Bearer ${key.slice(0, -1)}`,
        `Bearer ${key}x`,
        `Basic ${key}`,
        `Bearer ${key.toUpperCase()}`,
      ),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const { headers, body } = modernCall('tools__echo', { nonce: 'a' });
    const answers = new Set<string>();
    const tries = fc.sample(invented, { numRuns: TRIES, seed: 7 });
    while (tries.length > 0) {
      await Promise.all(
        tries.splice(0, 32).map(async (authorization) => {
          const answer = await send(port, { agent, body, headers: { ...headers, authorization } });
          answers.add(`${answer.status} ${answer.body}`);
        }),
      );
    }
    expect([...answers]).toEqual([
      '401 {"error":"unauthorized","message":"a valid API key is required: send `Authorization: Bearer <key>`"}',
    ]);
    const right = await send(port, { agent, body, headers: { ...headers, authorization: `Bearer ${key}` } });
    expect(right.status).toBe(200);
    agent.destroy();
    expect(served.printed()).not.toMatch(/SQL|SQLITE|syntax|api_key/);
    expect(ledgerOf(home).filter(({ kind }) => kind === 'call.admitted')).toHaveLength(1);
  },
);

verifies('O10')('the secret of a key is in no file of the data directory', async () => {
  home = governedHome();
  const key = await home.key('demo');
  const secret = key.slice(21);
  const database = openLedgerDatabase(home);
  database.pragma('wal_checkpoint(TRUNCATE)');
  expect(database.serialize().includes(secret)).toBe(false);
  database.close();
});

verifies('O8')('a key that was revoked, or whose agent is gone, authenticates no one from then on', async () => {
  home = governedHome({ agents: { demo: '', gone: '' } });
  const served = await home.serve();
  const port = Number(new URL(served.url).port);
  const [demo, gone] = [await home.key('demo'), await home.key('gone')];
  const { headers, body } = modernCall('tools__echo', { nonce: 'a' });
  const statusOf = async (key: string): Promise<number> =>
    (await send(port, { body, headers: { ...headers, authorization: `Bearer ${key}` } })).status;
  expect([await statusOf(demo), await statusOf(gone)]).toEqual([200, 200]);
  await home.run(['keys', 'revoke', demo.slice(4, 20)]);
  expect(await statusOf(demo)).toBe(401);
  rmSync(home.path('registry/agents/gone.yaml'));
  await until(() => served.printed().includes('registry.applied'));
  expect(await statusOf(gone)).toBe(401);
});
