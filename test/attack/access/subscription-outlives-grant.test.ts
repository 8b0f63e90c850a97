import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ComposedBroker } from '../../fixtures/composed-broker.ts';

const broker = new ComposedBroker({
  agents: { a: undefined, b: undefined },
  tools: { x: [], y: [] },
  others: {
    x: {
      resources: [
        { uri: 'memo:one', name: 'one' },
        { uri: 'memo:two', name: 'two' },
        { uri: 'dir:/a', name: 'a' },
        { uri: 'dir:/a/open', name: 'open' },
        { uri: 'dir:/a/shut', name: 'shut' },
        { uri: 'dir:/ab', name: 'ab' },
      ],
      templates: [{ uriTemplate: 'log:/{name}', name: 'logs' }],
    },
  },
  inputSchema: { type: 'object' },
});
const GRANTED = 'p, agent:*, resource:x/*, subscribe, , allow\n';

let received: string[];

beforeAll(() => broker.open());
afterAll(() => broker.close());
beforeEach(async () => {
  received = [];
  broker.unsubscribed.length = 0;
  await broker.putInForce(GRANTED);
});

async function subscribe(agent: string, uri: string): Promise<() => void> {
  const { end } = await broker.subscribeAs(agent, uri, (updated) => void received.push(`${agent} ${updated}`));
  // After the reply to the subscriber would have been sent.
  await new Promise((resolve) => setImmediate(resolve));
  if (end === undefined) throw new Error('the subscription was refused');
  return end;
}

async function update(uri: string, ...agents: string[]): Promise<void> {
  broker.broker.resourceUpdated(
    'x',
    uri,
    agents.map((agent) => `agent:${agent}`),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a change is sent to the principals subscribed in that session, and for no other resource', async () => {
  const ends = [await subscribe('a', 'memo:one'), await subscribe('b', 'memo:one'), await subscribe('a', 'memo:two')];
  await update('memo:one', 'a');
  await update('memo:one', 'a', 'b');
  await update('log:/x', 'a');
  expect(received).toEqual(['a memo:one', 'a memo:one', 'b memo:one']);
  for (const end of ends) end();
  await update('memo:one', 'a', 'b');
  expect(received).toHaveLength(3);
});

test('a change of a sub-resource is sent only to principals that may subscribe to it', async () => {
  await broker.putInForce(`${GRANTED}p, agent:a, resource:x/dir:/a/shut, subscribe, , deny\n`);
  const ends = [await subscribe('a', 'dir:/a'), await subscribe('b', 'seneschal://x/dir:/a')];
  await update('dir:/a/shut', 'a', 'b');
  await update('dir:/a/open', 'a', 'b');
  await update('dir:/a/of-no-list', 'a', 'b');
  await update('dir:/ab', 'a', 'b');
  await update('dir:/a', 'a');
  expect(received).toEqual(['b seneschal://x/dir:/a/shut', 'a dir:/a/open', 'b seneschal://x/dir:/a/open', 'a dir:/a']);
  for (const end of ends) end();
});

test('a revoked subscription sends nothing more, and its server is unsubscribed', async () => {
  await subscribe('a', 'memo:one');
  const end = await subscribe('b', 'log:/x');
  await broker.putInForce(`${GRANTED}p, agent:a, resource:x/*, subscribe, , deny\n`);
  await update('memo:one', 'a');
  await update('log:/x', 'b');
  expect(received).toEqual(['b log:/x']);
  expect(broker.unsubscribed).toEqual(['agent:a resource:x/memo:one']);
  end();
  expect(broker.unsubscribed).toEqual(['agent:a resource:x/memo:one', 'agent:b resource:x/log:/x']);
});

test('a grant whose time is over ends at the next change, without a reload', async () => {
  const until = new Date(Date.now() + 400).toISOString();
  await broker.putInForce(`p, agent:a, resource:x/*, subscribe, "now < timestamp('${until}')", allow\n`);
  await subscribe('a', 'memo:one');
  await update('memo:one', 'a');
  await new Promise((resolve) => setTimeout(resolve, 450));
  await update('memo:one', 'a');
  expect(received).toEqual(['a memo:one']);
  expect(broker.unsubscribed).toEqual(['agent:a resource:x/memo:one']);
});

test('a server that cannot be listed for a while loses no subscription', async () => {
  const end = await subscribe('a', 'memo:one');
  await broker.standing.recordDiscovery('x', { status: 'failed', error: 'away' });
  await update('memo:one', 'a');
  expect(received).toEqual([]);
  await broker.standing.recordDiscovery('x', {
    status: 'listed',
    tools: [],
    resources: [{ uri: 'memo:one', name: 'one' }],
  });
  await update('memo:one', 'a');
  expect(received).toEqual(['a memo:one']);
  end();
});

test('two sessions of one principal hold one subscription at the server', async () => {
  const ends = [await subscribe('a', 'memo:one'), await subscribe('a', 'memo:one')];
  ends[0]?.();
  expect(broker.unsubscribed).toEqual([]);
  ends[1]?.();
  expect(broker.unsubscribed).toEqual(['agent:a resource:x/memo:one']);
});

test('a principal is subscribed to so many resources and no more, and the refusal has its entry', async () => {
  const ends: (() => void)[] = [];
  await broker.standing.recordDiscovery('x', {
    ...{ status: 'listed', tools: [], resources: [{ uri: 'memo:one', name: 'one' }] },
    templates: [{ uriTemplate: 'log:/{name}', name: 'logs' }],
  });
  for (let held = 0; held < 256; held += 1) ends.push(await subscribe('a', `log:/${held}`));
  const before = broker.refused.length;
  const { outcome, end } = await broker.subscribeAs('a', 'memo:one', () => {});
  expect([outcome, end, broker.refused.length]).toEqual([
    expect.objectContaining({ kind: 'refused', stage: 'walk', reason: 'subscriptions-exceeded', visible: true }),
    undefined,
    before + 1,
  ]);
  (await subscribe('b', 'memo:one'))();
  ends.pop()?.();
  (await subscribe('a', 'memo:one'))();
  for (const each of ends) each();
});
