// Threats P9 and P2: what a tool server wants repeated in headers, and what agents put there.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modernCall, modernMessage, send } from '../../../fixtures/clients/raw-http.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../../fixtures/homes/counted-home.ts';
import { type HttpHarness, openHarness } from '../../../fixtures/http-harness.ts';
import { MisbehavingServer } from '../../../fixtures/servers/misbehaving-server.ts';

describe('through the daemon', () => {
  let counted: CountedHome;
  let liar: MisbehavingServer;
  afterEach(async () => {
    await counted.close();
    await liar.close();
  });

  verifies('P9')(
    'an argument with the name of a secret is put into no header, a header name with a line break blocks its tool, and both are reported',
    async () => {
      liar = await MisbehavingServer.start({ era: 'modern', tools: ['sign', 'break_header', 'echo'] });
      counted = await CountedHome.create({
        files: {
          'registry/servers/liar.yaml': `name: liar
transport: { type: streamable-http, url: "${liar.url}" }
pin: auto
`,
        },
      });
      const served = await counted.home.serve();
      const headers = { authorization: `Bearer ${counted.keys.get('demo')}` };
      const port = Number(new URL(served.url).port);
      const ask = async (sent: Record<string, string>, body: string): Promise<Record<string, unknown>> => {
        const answer = await send(port, { headers: { ...headers, ...sent }, body });
        return JSON.parse(answer.body) as Record<string, unknown>;
      };
      const mirror = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
      expect(await ask(mirror, JSON.stringify(modernMessage('tools/list')))).toMatchObject({
        result: {
          tools: [
            { name: 'counter__act' },
            { name: 'liar__echo' },
            {
              name: 'liar__sign',
              inputSchema: {
                properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, apiKey: { type: 'string' } },
              },
            },
            { name: 'pipe__act' },
          ],
        },
      });
      const { headers: own, body } = modernCall('liar__sign', { region: 'eu', apiKey: 'k-1' });
      expect(await ask({ ...own, 'mcp-param-region': 'eu' }, body)).toMatchObject({
        result: { content: [{ type: 'text', text: 'signed' }] },
      });
      expect(liar.received.map(({ args }) => args)).toEqual([{ region: 'eu', apiKey: 'k-1' }]);
      const sent = Object.entries(liar.received[0]?.headers ?? {}).filter(([name]) => name.startsWith('mcp-param'));
      expect(sent).toEqual([['mcp-param-region', 'eu']]);
      const { stdout } = await counted.home.run(['registry', 'list', '--output', 'json']);
      const { tools, findings } = JSON.parse(stdout) as Record<string, readonly Record<string, unknown>[]>;
      expect(tools?.find(({ id }) => id === 'tool:liar/break_header')).toMatchObject({
        status: 'quarantined',
        reason: 'the name of a header is not a token (RFC 9110)',
      });
      expect(findings).toContainEqual({
        server: 'liar',
        message: 'the tool `sign` asks for a secret argument in an HTTP header; the header is not sent',
      });
    },
  );
});

describe('through a virtual server', () => {
  verifies('P9')('a fixed argument is mirrored for its server, and no agent is asked for its header', async () => {
    const liar = await MisbehavingServer.start({ era: 'modern', tools: ['sign'] });
    const counted = await CountedHome.create({
      files: {
        'registry/servers/liar.yaml': `name: liar
transport: { type: streamable-http, url: "${liar.url}" }
pin: auto
tools: { sign: { risk: write, secretArguments: [apiKey] } }
`,
        'registry/virtual/desk.yaml': `name: desk
tools: { include: ["liar/*"], override: { liar/sign: { fixed: { region: eu } } } }
`,
      },
    });
    const served = await counted.home.serve();
    const { headers, body } = modernCall('sign', { apiKey: 'k-1' });
    const answer = await send(Number(new URL(served.url).port), {
      path: '/v/desk/mcp',
      headers: { ...headers, authorization: `Bearer ${counted.keys.get('demo')}` },
      body,
    });
    expect(JSON.parse(answer.body)).toMatchObject({ result: { content: [{ type: 'text', text: 'signed' }] } });
    expect(liar.received.map(({ args }) => args)).toEqual([{ region: 'eu', apiKey: 'k-1' }]);
    expect(liar.received[0]?.headers['mcp-param-region']).toBe('eu');
    await counted.close();
    await liar.close();
  });
});

describe('in the ingress', () => {
  let harness: HttpHarness;
  beforeEach(async () => {
    harness = await openHarness();
    const properties = {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
    };
    harness.broker.tools = [{ name: 'files__delete', inputSchema: { type: 'object', properties } }];
  });
  afterEach(() => harness.ingress.close({ drainMs: 0 }));

  async function call(args: object, sent: Record<string, string>, name = 'files__delete'): Promise<unknown> {
    const { headers, body } = modernCall(name, args);
    const answer = await send(harness.ingress.port, { headers: { ...headers, ...sent }, body });
    return [answer.status, (JSON.parse(answer.body) as { error?: { code?: unknown } }).error?.code];
  }

  verifies('P2').each([
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['no header', { region: 'eu' }, {}],
    ['two values', { region: 'eu' }, { 'mcp-param-region': 'eu, us' }],
    ['another case', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
    ['base64 of another value', { region: 'eu' }, { 'mcp-param-region': '=?base64?dXM=?=' }],
    ['base64 that is none', { region: 'eu' }, { 'mcp-param-region': '=?base64?!?=' }],
    ['base64 that is not canonical', { region: 'eu' }, { 'mcp-param-region': '=?base64?ZXV=?=' }],
    [
      'a value that must be encoded and is not',
      { region: '=?base64?ZXU=?=' },
      { 'mcp-param-region': '=?base64?ZXU=?=' },
    ],
    ['another number', { count: 42 }, { 'mcp-param-count': '43' }],
    ['a number in another writing', { count: 42 }, { 'mcp-param-count': '0x2a' }],
  ])('a call whose header says %s reaches no tool', async (_what, args, headers) => {
    expect(await call(args, headers)).toEqual([400, -32020]);
    expect(harness.broker.calls).toEqual([]);
    expect(harness.broker.malformed).toMatchObject([{ principal: { id: 'agent:demo' }, code: -32020 }]);
  });

  test.each([
    ['the same value', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['the same value in base64', { region: 'Köln' }, { 'mcp-param-region': '=?base64?S8O2bG4=?=' }],
    ['the same number', { count: 42 }, { 'mcp-param-count': '42.0' }],
    ['nothing of an argument that is not there', {}, {}],
    ['nothing of an argument that is null', { region: null }, {}],
    ['a header that no argument asks for', {}, { 'mcp-param-region': 'eu', 'mcp-param-other': 'x' }],
  ])('a call whose header says %s is made', async (_what, args, headers) => {
    expect(await call(args, headers)).toEqual([200, undefined]);
    expect(harness.broker.calls).toMatchObject([{ args }]);
  });

  test('a call of an invisible tool is not checked for its headers', async () => {
    harness.broker.visibleLists.paramHeaders = () => [{ header: 'mcp-param-region', path: ['region'], type: 'string' }];
    harness.broker.tools = [];
    expect(await call({ region: 'eu' }, {})).toEqual([200, undefined]);
    expect(harness.broker.calls).toHaveLength(1);
  });
});
