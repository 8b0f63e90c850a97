import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { subscriptionOf } from '../../fixtures/upstream-pool.ts';
import { verifies } from '../requirements/verifies.ts';
import { type ServerWire, TOOL } from '../wires/scripted-server.ts';

const TAG = 'io.modelcontextprotocol/subscriptionId';

/** A server that acknowledges everything, and keeps the ways to say more on each subscription. */
function acknowledge(wire: ServerWire): ((method: string, params?: JsonObject) => void)[] {
  const saying: ((method: string, params?: JsonObject) => void)[] = [];
  wire.answers['subscriptions/listen'] = ({ id, params, say }) => {
    const notify = (method: string, more: JsonObject = {}): void =>
      say({ jsonrpc: '2.0', method, params: { ...more, _meta: { [TAG]: id } } });
    notify('notifications/subscriptions/acknowledged', { notifications: params.notifications ?? {} });
    saying.push(notify);
    return 'nothing';
  };
  return saying;
}

verifies('servers.listen.filter', async (wire) => {
  acknowledge(wire);
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.until(() => wire.of('subscriptions/listen').length > 0);
  const params = Object(wire.of('subscriptions/listen')[0]?.message.params);
  expect(params.notifications).toEqual({ toolsListChanged: true });
});

verifies('servers.listen.changed', async (wire) => {
  const saying = acknowledge(wire);
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.until(() => saying.length > 0);
  wire.answers['tools/list'] = () => ({ result: { tools: [TOOL, { ...TOOL, name: 'new' }] } });
  const changed = wire.upstream.nextChange();
  saying[0]?.('notifications/tools/list_changed');
  const change = await changed;
  expect('tools' in change && change.tools.map(({ name }) => name)).toEqual(['act', 'new']);
});

verifies('servers.subscribe', async (wire) => {
  const saying = acknowledge(wire);
  wire.answers['resources/subscribe'] = () => ({ result: {} });
  const { signal } = new AbortController();
  const subscribed = await wire.upstream.pool.dispatch(subscriptionOf('test://a', 'ana'), { signal });
  expect(subscribed).toMatchObject({ kind: 'completed' });
  if (wire.era === 'legacy') {
    expect(wire.of('resources/subscribe').map(({ message }) => message.params)).toEqual([{ uri: 'test://a' }]);
    if (wire.transport === 'http') await wire.until(() => wire.received.some(({ verb }) => verb === 'GET'));
    wire.push({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'test://a' } });
  } else {
    const filters = wire.of('subscriptions/listen').map(({ message }) => Object(message.params).notifications);
    expect(filters).toContainEqual(expect.objectContaining({ resourceSubscriptions: ['test://a'] }));
    saying.at(-1)?.('notifications/resources/updated', { uri: 'test://a' });
  }
  await wire.until(() => wire.upstream.updates.length === 1);
  expect(wire.upstream.updates).toEqual(['test://a agent:ana']);
});
