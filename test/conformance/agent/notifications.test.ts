import { expect } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed } from '../../fixtures/http-harness.ts';
import { verifies } from '../requirements/verifies.ts';
import { type AgentWire, INITIALIZE_PARAMS, type WireResponse, withModernMeta } from '../wires/agent-wire.ts';

const DONE = completed({ content: [{ type: 'text', text: 'done' }] });
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

/** Calls a tool that says `notices` before it answers. */
function callAndReceive(
  wire: AgentWire,
  meta: JsonObject,
  notices: (link: ClientContext | undefined) => void,
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<WireResponse> {
  wire.broker.behaviour = (_request, _signal, link) => {
    notices(link);
    return DONE;
  };
  const params: JsonObject = Object.keys(meta).length === 0 ? {} : { _meta: meta };
  return wire.request('tools/call', { name: 'files__echo', ...params }, { headers });
}

const halfWay = (link: ClientContext | undefined): void =>
  void link?.progress({ progress: 1, total: 2, message: 'half' });

for (const token of ['mine', 7, '']) {
  verifies(
    'agents.progress.token',
    async (wire) => {
      const { before, message } = await callAndReceive(wire, { progressToken: token }, halfWay);
      expect(before).toEqual([
        {
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: token, progress: 1, total: 2, message: 'half' },
        },
      ]);
      expect(message).toMatchObject({ result: { content: [{ text: 'done' }] } });
    },
    JSON.stringify(token),
  );
}

verifies('agents.progress.unasked', async (wire) => {
  expect((await callAndReceive(wire, {}, halfWay)).before).toEqual([]);
});

verifies('agents.progress.over', async (wire) => {
  let link: ClientContext | undefined;
  await callAndReceive(wire, { progressToken: 'mine' }, (given) => {
    link = given;
  });
  expect(link?.wantsProgress).toBe(true);
  halfWay(link);
  expect((await wire.request('tools/list')).before).toEqual([]);
});

verifies('agents.stream.form', async (wire) => {
  const silent = await callAndReceive(wire, { progressToken: 'mine' }, () => {});
  const telling = await callAndReceive(wire, { progressToken: 'mine' }, halfWay);
  expect([silent, telling].map(({ status, headers }) => [status, headers['content-type']])).toEqual([
    [200, 'application/json'],
    [200, 'text/event-stream'],
  ]);
});

verifies('agents.stream.accept', async (wire) => {
  const received = await callAndReceive(wire, { progressToken: 'mine' }, halfWay, { accept: 'application/json' });
  expect([received.headers['content-type'], received.before.length]).toEqual(['application/json', 0]);
  expect(received.message).toHaveProperty('result');
});

verifies('agents.log.declared', async (wire) => {
  const initialize = { jsonrpc: '2.0', id: 'i', method: 'initialize', params: INITIALIZE_PARAMS };
  const { message } =
    wire.era === 'modern'
      ? await wire.request('server/discover', withModernMeta({}))
      : await wire.raw(JSON.stringify(initialize));
  expect(message).toMatchObject({ result: { capabilities: { logging: {} } } });
});

verifies('agents.log.set-level', async (wire) => {
  const { message } = await wire.request('logging/setLevel', { level: 'warning' }, { id: 'l' });
  expect(message).toEqual({ jsonrpc: '2.0', id: 'l', result: {} });
  for (const level of ['loud', undefined, 7]) {
    const refused = await wire.request('logging/setLevel', level === undefined ? {} : { level });
    expect(refused.message).toMatchObject({ error: { code: -32602 } });
  }
});

/** One message of each of three severities. */
function logThrice(link: ClientContext | undefined): void {
  for (const level of ['info', 'warning', 'emergency']) link?.log({ level, logger: 'files', data: { of: level } });
}

verifies('agents.log.level', async (wire) => {
  if (wire.era === 'legacy') await wire.request('logging/setLevel', { level: 'warning' });
  const meta: JsonObject = wire.era === 'modern' ? { [LOG_LEVEL]: 'warning' } : {};
  const { before } = await callAndReceive(wire, meta, logThrice);
  expect(before).toEqual(
    ['warning', 'emergency'].map((level) => ({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level, logger: 'files', data: { of: level } },
    })),
  );
});

verifies('agents.log.unasked', async (wire) => {
  // With a progress token there is somebody to tell, and still nothing to tell it of.
  expect((await callAndReceive(wire, { progressToken: 1 }, logThrice)).before).toEqual([]);
  expect((await callAndReceive(wire, {}, logThrice)).before).toEqual([]);
});
