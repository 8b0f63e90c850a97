import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { Era } from '../upstream/start.ts';
import { openHttpAgent } from '../wires/http-agent.ts';
import { openStdioAgent } from '../wires/stdio-agent.ts';
import { AGENT_REQUESTS, SPOKEN_METHODS } from './spoken-methods.ts';

const METHOD_NOT_FOUND = -32601;
/** A method of the modern era alone is refused so where it comes without the envelope of its era. */
const NO_ENVELOPE = '`params._meta` is missing';
const ENDPOINTS = [
  ['http', openHttpAgent],
  ['stdio', openStdioAgent],
] as const;
const ERAS: readonly Era[] = ['legacy', 'modern'];

/** What listening methods need, so that they end. */
const PARAMS = { notifications: {}, uri: 'test://a', name: 'a', level: 'info', ref: null };

for (const [transport, open] of ENDPOINTS) {
  for (const era of ERAS) {
    test(`an agent (${transport}, ${era}) is served the methods that the page says, and no other`, async () => {
      const wire = await open(era);
      const served: string[] = [];
      for (const method of AGENT_REQUESTS) {
        const { message, before } = await wire.request(method, PARAMS);
        // A subscription over HTTP is answered by its acknowledgement, and here by its end.
        const { code, message: problem } = Object([...before, message].at(-1)?.error);
        if (code !== METHOD_NOT_FOUND && problem !== NO_ENVELOPE) served.push(method);
      }
      await wire.close();
      expect(served.sort()).toEqual(AGENT_REQUESTS.filter((method) => SPOKEN_METHODS[method]?.agents[era]).sort());
    });
  }
}

test('every method that the broker says to a tool server is on the page', () => {
  const folder = resolve(import.meta.dirname, '../../../src/upstream');
  const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(folder, path), 'utf8'))
    .join('\n');
  const said = new Set(
    [
      ...source.matchAll(
        /'((?:server|tools|prompts|resources|subscriptions|completion|logging|notifications)\/[\w/]+)'/g,
      ),
    ].map(([, method = '']) => method),
  );
  expect([...said].filter((method) => SPOKEN_METHODS[method] === undefined)).toEqual([]);
  expect([...said].filter((method) => Object.values(SPOKEN_METHODS[method]?.servers ?? {}).every((is) => !is))).toEqual(
    [],
  );
});
