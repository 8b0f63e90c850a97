import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/lib/json/json.ts';
import type { Delivery } from '../../fixtures/clients/caller.ts';
import { send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';
import { type RequestHandler, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const PROBE = resolve(import.meta.dirname, '../../fixtures/programs/loop-probe.mjs');

/** Definitions each of which looks at the next one twice. */
function doubling(keyword: string, last: JsonObject): JsonObject {
  const $defs: Record<string, JsonValue> = { d40: last };
  for (let index = 0; index < 40; index += 1) {
    const next = { $ref: `#/$defs/d${index + 1}` };
    $defs[`d${index}`] = { [keyword]: [next, next] };
  }
  return $defs;
}

const text = (pattern: string): JsonObject => ({ type: 'object', properties: { a: { type: 'string', pattern } } });
const flooded = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, { type: 'string' }]));

/** Tools whose schemas are bombs, each with the arguments that set it off. */
const BOMBS: Readonly<Record<string, readonly [schema: JsonObject, args: JsonObject]>> = {
  doubled_any_of: [{ type: 'object', $defs: doubling('anyOf', { type: 'string' }), $ref: '#/$defs/d0' }, {}],
  doubled_all_of: [
    {
      type: 'object',
      $defs: doubling('allOf', { maxLength: 2_000_000 }),
      properties: { x: { $ref: '#/$defs/d0' } },
    },
    { x: 'a'.repeat(500_000) },
  ],
  backtracking: [text('^(a+)+$'), { a: `${'a'.repeat(50_000)}!` }],
  large_pattern: [text('(a|b)*a(a|b){500}c'), { a: 'abbabaab'.repeat(50_000) }],
  unique: [
    { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } },
    { a: Array.from({ length: 20_000 }, (_, n) => ({ n })) },
  ],
  wide: [{ type: 'object', properties: flooded(10_000) }, {}],
  far_reference: [{ type: 'object', properties: { a: { $ref: 'http://169.254.169.254/' } } }, {}],
};
/** As long as a URI may be, and far longer. */
const SLASHES = `memo:///${'a/'.repeat(1_000)}`;
const MANY_SLASHES = `memo:///${'a/'.repeat(100_000)}`;
/** URI templates that a naive expression would take for ever to match, and the URI that would make it. */
const TEMPLATES: readonly (readonly [template: string, uri: string])[] = [
  ['memo://{/id*}', SLASHES],
  ['memo://{/a*}{/b*}{/c*}{/d*}{/e*}x', SLASHES],
  ['memo://{/long*}', MANY_SLASHES],
  [`memo://${'{a,b,c}'.repeat(200)}`, `memo://${'a,'.repeat(50_000)}`],
];

const answering: RequestHandler = ({ message }, response) => {
  const { id, method, params } = message;
  const reply = (result: JsonObject): void => sendJson(response, { jsonrpc: '2.0', id: id ?? null, result });
  if (method === 'initialize') {
    const serverInfo = { name: 'bombs', version: '1' };
    const capabilities = { tools: {}, resources: {} };
    return reply({ protocolVersion: params.protocolVersion ?? '', capabilities, serverInfo });
  }
  if (method === 'tools/list') {
    return reply({ tools: Object.entries(BOMBS).map(([name, [inputSchema]]) => ({ name, inputSchema })) });
  }
  if (method === 'resources/list') return reply({ resources: [] });
  if (method === 'resources/templates/list') {
    return reply({ resourceTemplates: TEMPLATES.map(([uriTemplate]) => ({ uriTemplate, name: uriTemplate })) });
  }
  if (method === 'tools/call') return sendJson(response, textResponse(id, 'done'));
  sendJson(response, { jsonrpc: '2.0', id: id ?? null, error: { code: -32601, message: 'no' } });
};

interface Stalls {
  readonly looks: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long the loop was held up since the last look. */
async function stallsOf(served: Served): Promise<Stalls> {
  const file = counted.home.path('stalls.json');
  const read = (): Stalls | undefined =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Stalls) : undefined;
  const before = read()?.looks ?? 0;
  served.child.kill('SIGUSR2');
  while ((read()?.looks ?? 0) === before) await wait(10);
  return read() as Stalls;
}

/** Reads by the older handshake, where no header repeats the URI and so none bounds it. */
async function reader(served: Served): Promise<(uri: string) => Promise<string>> {
  const port = Number(new URL(served.url).port);
  const authorization = `Bearer ${counted.keys.get('ann')}`;
  const ask = (headers: Record<string, string>, message: object): ReturnType<typeof send> =>
    send(port, { headers: { authorization, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }) });
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const { headers } = await ask({}, { method: 'initialize', params });
  const session = { 'mcp-session-id': String(headers['mcp-session-id']) };
  return async (uri) => {
    const { body } = await ask(session, { method: 'resources/read', params: { uri } });
    const { error } = JSON.parse(body) as { readonly error?: { readonly code: number } };
    return error === undefined ? 'result' : `error ${error.code}`;
  };
}

verifies('F15', 'P10')(
  'oversized schemas, conditions and URI templates fail without delaying another agent',
  async () => {
    const { url } = await serveHttp(answering);
    counted = await CountedHome.create({
      agents: ['ann', 'ben'],
      files: {
        'registry/servers/bombs.yaml': `name: bombs\ntransport: { type: streamable-http, url: "${url}" }\npin: auto\nsharing: all\n`,
        'policies/policy.csv': 'p, agent:*, tool:*, call, , allow\np, agent:*, resource:*, read, , allow\n',
      },
    });
    const served = await counted.home.serve({
      engine: ['--import', PROBE],
      env: { LOOP_PROBE_FILE: counted.home.path('stalls.json') },
    });
    const [ann, ben] = [counted.caller(served, 'ann'), counted.caller(served, 'ben')];
    for (let warm = 0; warm < 100; warm += 1) await ben.call('counter__act', { nonce: `warm-${warm}` });
    const read = await reader(served);
    await stallsOf(served);
    const failed: Delivery[] = [];
    const answers: Record<string, string> = {};
    const stalls: [string, Stalls][] = [];
    let isOver = false;
    const calling = (async () => {
      for (let made = 0; !isOver; made += 1) {
        const outcome = await ben.call('counter__act', { nonce: `n-${made}` });
        if (outcome.kind !== 'result') failed.push(outcome);
        await wait(2);
      }
    })();
    await wait(500);
    stalls.push(['no bomb', await stallsOf(served)]);
    for (const [name, [, args]] of Object.entries(BOMBS)) {
      const outcome = await ann.call(`bombs__${name}`, args);
      answers[name] = outcome.kind === 'refused' ? outcome.reason : outcome.kind;
      stalls.push([name, await stallsOf(served)]);
    }
    for (const [template, uri] of TEMPLATES) {
      answers[template.slice(0, 20)] = await read(uri);
      stalls.push([template.slice(0, 20), await stallsOf(served)]);
    }
    isOver = true;
    await calling;
    process.stdout.write(
      `event loop held up, p99 and longest:\n${stalls.map(([what, { p99Ms, maxMs }]) => `  ${what}: ${p99Ms.toFixed(1)} ms, ${maxMs.toFixed(1)} ms\n`).join('')}`,
    );
    expect(failed).toEqual([]);
    expect(answers).toEqual({
      backtracking: 'arguments-invalid',
      doubled_all_of: 'arguments-invalid',
      doubled_any_of: 'arguments-invalid',
      far_reference: 'error',
      large_pattern: 'arguments-invalid',
      unique: 'result',
      wide: 'error',
      'memo://{/id*}': 'error -32601',
      'memo://{/a*}{/b*}{/c': 'error -32601',
      'memo://{/long*}': 'error -32002',
      'memo://{a,b,c}{a,b,c': 'error -32002',
    });
    expect(await ben.call('counter__act', { nonce: 'after' })).toEqual({ kind: 'result', text: 'after' });
  },
  120_000,
);
