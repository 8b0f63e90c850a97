import { join } from 'node:path';
import { afterEach, describe, expect } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/lib/json/json.ts';
import { corpus, corpusFiles } from '../../../fixtures/corpora/corpora.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { type Answered, governedHome, httpServer, ledgerOf, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import {
  type HttpUpstream,
  legacyHandler,
  sendJson,
  serveHttp,
  textResponse,
} from '../../../fixtures/http-upstream.ts';

const META = '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'far__echo' };

let home: Home;
let agent: WireAgent;
let upstream: HttpUpstream;

/** A broker in its own process before a tool server that keeps what reaches it. */
async function openHome(): Promise<void> {
  upstream = await serveHttp(
    legacyHandler({ echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'done')) }),
  );
  home = governedHome({ servers: { far: httpServer('far', upstream.url) } });
  const served = await home.serve();
  agent = new WireAgent(served.url, await home.key('demo'));
}

afterEach(async () => {
  agent.close();
  await home.close();
});

/** A call whose arguments are these bytes. */
function callWith(args: Uint8Array | string, more: string = ''): Promise<Answered> {
  const before = `{"jsonrpc":"2.0","id":1,"method":"tools/call",${more}"params":{"name":"far__echo","_meta":${META},"arguments":`;
  return agent.post(Buffer.concat([Buffer.from(before), Buffer.from(args), Buffer.from('}}')]), HEADERS);
}

const lastArguments = (): JsonValue | undefined => upstream.received.at(-1)?.message.params.arguments;
const codeOf = ({ message }: Answered): unknown => (message.error as JsonObject | undefined)?.code;

verifies('P3')('an envelope that two readers could read differently reaches no tool server', async () => {
  await openHome();
  const differentials = [
    '"Method":"tools/list",',
    '"METHOD":"tools/list",',
    '"method":"tools/call",',
    '"\\u006dethod":"tools/list",',
    '"Params":{},',
    '"param\u017f":{},',
    '"JSONRPC":"2.0",',
    '"ID":2,',
    '"\uff4dethod":"tools/list",',
    '"extra":1,',
  ];
  const codes: unknown[] = [];
  for (const more of differentials) codes.push(codeOf(await callWith('{}', more)));
  expect(codes).toEqual(differentials.map(() => -32600));
  expect(upstream.called()).toEqual([]);
  const recorded = ledgerOf(home).filter(({ kind }) => kind === 'message.refused' || kind === 'call.refusals-summed');
  expect(recorded.every(({ entry }) => entry.principal === 'agent:demo')).toBe(true);
  expect(recorded.length).toBeGreaterThan(0);
  expect((await callWith('{}')).text).toBe('done');
});

verifies('P13')('a prototype key in the arguments is refused at any depth, and makes no agent an admin', async () => {
  await openHome();
  for (const args of [
    '{"__proto__":{"role":"admin"}}',
    '{"a":[{"\\u005f_proto__":{"admin":true}}]}',
    '{"constructor":{"prototype":{"admin":true}}}',
  ]) {
    expect(codeOf(await callWith(args))).toBe(-32600);
  }
  expect(upstream.called()).toEqual([]);
  expect((await callWith('{"role":"__proto__"}')).text).toBe('done');
  expect(lastArguments()).toEqual({ role: '__proto__' });
});

verifies('P12')('arrays that nest 100,000 deep are refused, and the next call is served', async () => {
  await openHome();
  const deep = await callWith(`{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
  expect([deep.status, codeOf(deep)]).toEqual([400, -32700]);
  expect(upstream.called()).toEqual([]);
  expect((await callWith('{}')).text).toBe('done');
});

const suite = corpus('jsontestsuite');

describe.skipIf(suite.absent)('JSONTestSuite as arguments of calls', () => {
  const files = suite.absent ? [] : corpusFiles(join(suite.folder, 'test_parsing'));
  const wrapped = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from('{"v":'), bytes, Buffer.from('}')]);
  /** Well-formed, and yet two readers may understand them differently. */
  const DISTINGUISHED = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

  verifies('P12')('what must be accepted reaches the tool server as it was meant', async () => {
    await openHome();
    const wrong: string[] = [];
    const accepted = files.filter(({ name }) => name.startsWith('y_') && !DISTINGUISHED.includes(name));
    for (const { name, bytes } of accepted) {
      const { text } = await callWith(wrapped(bytes));
      const meant: JsonValue = { v: JSON.parse(bytes.toString('utf8')) as JsonValue };
      if (text !== 'done' || JSON.stringify(lastArguments()) !== JSON.stringify(meant)) wrong.push(name);
    }
    expect(wrong).toEqual([]);
    expect(accepted.length).toBe(93);
  });

  verifies('P12')(
    'what must be rejected, and what two readers may read differently, reaches no tool server',
    async () => {
      await openHome();
      const wrong: string[] = [];
      const rejected = files.filter(({ name }) => name.startsWith('n_') || DISTINGUISHED.includes(name));
      for (const { name, bytes } of rejected) {
        const answer = await callWith(wrapped(bytes));
        if (answer.status !== 400 || codeOf(answer) === undefined) wrong.push(`${name}: ${answer.body}`);
      }
      expect(wrong).toEqual([]);
      expect(upstream.called()).toEqual([]);
      expect(rejected.length).toBe(190);
    },
  );
});
