import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { ComposedBroker } from '../../fixtures/composed-broker.ts';

const VIEW = 'virtual:desk';
const broker = new ComposedBroker({
  agents: { a: undefined },
  tools: { x: ['read', 'drop', 'send'], y: ['read'] },
  virtual: {
    desk: `tools:
  include: ["x/send"]
  rename: { read: x/drop, drop: x/read }
  override: { x/send: { fixed: { to: desk } } }
`,
  },
  inputSchema: {
    type: 'object',
    properties: { to: { type: 'string' }, text: { type: 'string' } },
    required: ['to'],
  },
});

beforeAll(() => broker.open());
afterAll(() => broker.close());
beforeEach(() => {
  broker.lastSent = undefined;
});

function call(exposedName: string, args = {}): Promise<Outcome> {
  return broker.actAs('a', OPERATIONS.callTool, { exposedName, args, view: VIEW });
}

test('a grant on a tool does not follow the name that another tool was given', async () => {
  await broker.putInForce('p, agent:a, tool:x/read, call, , allow\n');
  expect(await call('read', { to: 'x' })).toMatchObject({ kind: 'refused', visible: false });
  expect(broker.lastSent).toBeUndefined();
  expect(await call('drop', { to: 'x' })).toMatchObject({ kind: 'completed' });
  expect(broker.lastSent?.target.id).toBe('tool:x/read');
});

test('a denial follows its tool under every name', async () => {
  await broker.putInForce('p, agent:a, tool:x/*, call, , allow\np, agent:a, tool:x/drop, call, , deny\n');
  expect(await call('read', { to: 'x' })).toMatchObject({ kind: 'refused', visible: false });
  expect(broker.listOf('a', 'tool', VIEW)).toEqual(['drop', 'send']);
});

test.each(['x__read', 'x__drop', 'y__read', 'x/read', 'virtual:desk', '__proto__', 'constructor'])(
  'what is not on the view does not exist there, whatever is granted: %s',
  async (name) => {
    await broker.putInForce('p, agent:a, tool:*, call, , allow\n');
    expect(await call(name, { to: 'x' })).toMatchObject({ kind: 'refused', visible: false, reason: 'unknown-tool' });
    expect(broker.lastSent).toBeUndefined();
  },
);

test('a fixed argument is sent, and a policy decides on it', async () => {
  await broker.putInForce(`p, agent:a, tool:x/send, call, "args.to == 'desk'", allow\n`);
  expect(await call('send', { text: 'hi' })).toMatchObject({ kind: 'completed' });
  expect(broker.lastSent?.args).toEqual({ text: 'hi', to: 'desk' });
  await broker.putInForce(`p, agent:a, tool:x/send, call, "args.to == 'boss'", allow\n`);
  expect(await call('send', { text: 'hi' })).toMatchObject({ kind: 'refused', stage: 'authorize' });
});

test.each([
  ['another value', 'boss'],
  ['the very value', 'desk'],
  ['nothing', null],
])('an agent that gives a fixed argument is refused, with %s', async (_what, to) => {
  await broker.putInForce(`p, agent:a, tool:x/send, call, , allow\n`);
  const outcome = await call('send', { text: 'hi', to });
  expect(outcome).toMatchObject({
    ...{ kind: 'refused', stage: 'validate-input', reason: 'arguments-invalid' },
    message: "the arguments do not match the tool's schema: `/to` is not allowed (false schema)",
  });
  expect(broker.lastSent).toBeUndefined();
});

test('a policy never sees what an agent gives for a fixed argument', async () => {
  await broker.putInForce(`p, agent:a, tool:x/send, call, "args.to == 'boss'", allow\n`);
  expect(await call('send', { to: 'boss' })).toMatchObject({ kind: 'refused', stage: 'authorize' });
});

test('what is shown of a fixed argument is nothing', async () => {
  await broker.putInForce(`p, agent:a, tool:x/send, call, , allow\n`);
  const { definitions: offers } = broker.broker.visibleLists.list(broker.principal('a'), 'tool', VIEW);
  expect(JSON.stringify(offers)).not.toMatch(/desk|"to"/);
  expect(offers).toMatchObject([{ name: 'send', inputSchema: { properties: { text: { type: 'string' } } } }]);
});
