import { expect } from 'vitest';
import { completed, refused } from '../../fixtures/http-harness.ts';
import { verifies } from '../requirements/verifies.ts';
import { type AgentWire, withModernMeta } from '../wires/agent-wire.ts';

const TAG = { 'io.modelcontextprotocol/subscriptionId': 'listen' };
const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

verifies('agents.list-changed', async (wire) => {
  const notices = await wire.listen(ALL);
  if (wire.era === 'modern') await notices.next();
  wire.broker.changeListOf('agent:other', 'tool');
  wire.broker.changeListOf('agent:demo', 'prompt');
  wire.broker.changeListOf('agent:demo', 'tool');
  expect([(await notices.next()).method, (await notices.next()).method]).toEqual([
    'notifications/prompts/list_changed',
    'notifications/tools/list_changed',
  ]);
});

verifies('agents.listen.acknowledged', async (wire) => {
  const notices = await wire.listen({ toolsListChanged: true, promptsListChanged: false, of: 'no such thing' });
  expect(await notices.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { toolsListChanged: true }, _meta: TAG },
  });
});

verifies('agents.listen.tagged', async (wire) => {
  const notices = await wire.listen();
  expect(await notices.next()).toMatchObject({ params: { _meta: TAG } });
  wire.broker.changeListOf('agent:demo');
  expect(await notices.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: TAG },
  });
});

verifies('agents.listen.filter', async (wire) => {
  const notices = await wire.listen({ promptsListChanged: true });
  await notices.next();
  wire.broker.changeListOf('agent:demo', 'tool');
  wire.broker.changeListOf('agent:demo', 'resource');
  wire.broker.changeListOf('agent:demo', 'prompt');
  expect((await notices.next()).method).toBe('notifications/prompts/list_changed');
});

verifies('agents.listen.parameters', async (wire) => {
  const { message } = await wire.request('subscriptions/listen', withModernMeta({}));
  expect(message).toMatchObject({ error: { code: -32602 } });
});

verifies('agents.listen.closed', async (wire) => {
  const notices = await wire.listen();
  await notices.next();
  await wire.close();
  expect(await notices.next()).toEqual({
    jsonrpc: '2.0',
    id: 'listen',
    result: {
      resultType: 'complete',
      _meta: {
        ...TAG,
        'io.modelcontextprotocol/serverInfo': { name: 'seneschal', version: '0.1.0-test' },
      },
    },
  });
});

/** Lets every subscription be granted but that to `test://hidden`. */
function grantAllButHidden({ broker }: AgentWire): void {
  broker.behaviour = ({ exposedName }) =>
    exposedName === 'test://hidden' ? refused({ visible: false, reason: 'unknown-resource' }) : completed({});
}

const updated = (uri: string, more: object = {}): object => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, ...more },
});

verifies('agents.subscribe.answered', async (wire) => {
  grantAllButHidden(wire);
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    const { message } = await wire.request(method, { uri: 'test://a' }, { id: method });
    expect(message).toEqual({ jsonrpc: '2.0', id: method, result: {} });
  }
});

verifies('agents.subscribe.updated', async (wire) => {
  grantAllButHidden(wire);
  const notices = await wire.listen();
  await wire.request('resources/subscribe', { uri: 'test://a' });
  await wire.request('resources/subscribe', { uri: 'test://b' });
  wire.broker.subscribed.get('test://a')?.();
  expect(await notices.next()).toEqual(updated('test://a'));
  await wire.request('resources/unsubscribe', { uri: 'test://a' });
  expect([...wire.broker.subscribed.keys()]).toEqual(['test://b']);
});

verifies('agents.subscribe.unknown', async (wire) => {
  grantAllButHidden(wire);
  const { message } = await wire.request('resources/subscribe', { uri: 'test://hidden' });
  expect(message.error).toEqual({
    code: -32002,
    message: 'Resource not found: test://hidden',
    data: { uri: 'test://hidden' },
  });
});

verifies('agents.listen.resources', async (wire) => {
  grantAllButHidden(wire);
  const notices = await wire.listen({ resourceSubscriptions: ['test://a', 'test://hidden'] });
  expect(await notices.next()).toMatchObject({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { resourceSubscriptions: ['test://a'] } },
  });
  wire.broker.subscribed.get('test://a')?.();
  expect(await notices.next()).toEqual(updated('test://a', { _meta: TAG }));
});
