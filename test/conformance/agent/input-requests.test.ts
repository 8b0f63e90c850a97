import { expect } from 'vitest';
import type { ClientContext, ClientResponse } from '../../../src/domain/mcp/client-context.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed, refused } from '../../fixtures/http-harness.ts';
import { verifies } from '../requirements/verifies.ts';
import type { AgentWire } from '../wires/agent-wire.ts';

const FORM: JsonObject = { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } };
const CALL = { name: 'files__echo' };

/** Lets the call ask `times` times, all at once, and answer with what came of it. */
function askWithin(wire: AgentWire, times = 1): ClientResponse[] {
  const answers: ClientResponse[] = [];
  wire.broker.behaviour = async (_request, signal, link) => {
    const ask = link?.sendRequest;
    if (ask !== undefined) {
      const asked = Array.from({ length: times }, () => ask('elicitation/create', FORM, { signal, timeoutMs: 5_000 }));
      answers.push(...(await Promise.all(asked)));
    }
    return completed({ content: [{ type: 'text', text: 'gone on' }] });
  };
  return answers;
}

const accept = (): JsonObject => ({ result: { action: 'accept', content: { name: 'Ana' } } });

verifies('agents.ask.request', async (wire) => {
  wire.declare({ elicitation: {} });
  const answers = askWithin(wire);
  const { before, message } = await wire.request('tools/call', CALL, { onInputRequest: accept });
  expect(before).toEqual([{ jsonrpc: '2.0', id: expect.anything(), method: 'elicitation/create', params: FORM }]);
  expect(answers).toEqual([{ kind: 'result', result: { action: 'accept', content: { name: 'Ana' } } }]);
  expect(message).toMatchObject({ result: { content: [{ text: 'gone on' }] } });
});

verifies('agents.ask.ids', async (wire) => {
  wire.declare({ elicitation: {} });
  askWithin(wire, 3);
  const first = await wire.request('tools/call', CALL, { onInputRequest: accept });
  const second = await wire.request('tools/call', CALL, { onInputRequest: accept });
  const ids = [...first.before, ...second.before].map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([6, 6]);
});

verifies('agents.ask.refused', async (wire) => {
  wire.declare({ elicitation: {} });
  const answers = askWithin(wire);
  const error = { code: -1, message: 'the user is away' };
  await wire.request('tools/call', CALL, { onInputRequest: () => ({ error }) });
  expect(answers).toEqual([{ kind: 'error', error }]);
});

verifies('agents.ask.accepted', async (wire) => {
  wire.declare({ elicitation: {} });
  askWithin(wire);
  await wire.request('tools/call', CALL, { onInputRequest: accept });
  await expect.poll(() => wire.responseStatuses).toEqual([202]);
});

verifies('agents.ask.declared', async (wire) => {
  const known: unknown[] = [];
  wire.broker.behaviour = (_request, _signal, link) => {
    known.push(link?.capabilities, typeof link?.sendRequest);
    return completed({ content: [] });
  };
  wire.declare({ elicitation: { form: {} } });
  await wire.request('tools/call', CALL);
  expect(known).toEqual([{ elicitation: { form: {} } }, wire.era === 'legacy' ? 'function' : 'undefined']);
});

verifies(
  'agents.ask.declared',
  async (wire) => {
    const answers = askWithin(wire);
    expect((await wire.request('tools/call', CALL)).before).toEqual([]);
    expect(answers).toEqual([]);
  },
  'nothing declared',
);

verifies('agents.urls.complete', async (wire) => {
  wire.declare({ elicitation: { url: {} } });
  const notices = await wire.listen();
  const links: ClientContext[] = [];
  wire.broker.behaviour = (_request, _signal, link) => {
    if (link !== undefined) links.push(link);
    link?.elicitationComplete?.('within');
    return completed({ content: [] });
  };
  const { before } = await wire.request('tools/call', CALL);
  const elicitationComplete = (elicitationId: string): JsonObject => ({
    ...{ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId } },
  });
  expect(before).toEqual([elicitationComplete('within')]);
  expect(links.map((link) => link.elicitationComplete?.('after'))).toEqual([true]);
  // On pipes both come the same way.
  if (wire.transport === 'stdio') expect(await notices.next()).toEqual(elicitationComplete('within'));
  expect(await notices.next()).toEqual(elicitationComplete('after'));
  notices.close();
});

verifies('agents.urls.stateless', async (wire) => {
  wire.declare({ elicitation: { url: {} } });
  const ways: unknown[] = [];
  wire.broker.behaviour = (_request, _signal, link) => {
    ways.push(link?.capabilities, link?.elicitationComplete);
    return completed({ content: [] });
  };
  await wire.request('tools/call', CALL);
  expect(ways).toEqual([{ elicitation: { url: {} } }, undefined]);
});

verifies('agents.ask.stateless', async (wire) => {
  wire.declare({ elicitation: {}, sampling: {}, roots: {} });
  const answers = askWithin(wire);
  expect((await wire.request('tools/call', CALL)).before).toEqual([]);
  expect(answers).toEqual([]);
});

const REQUESTS: JsonObject = {
  user_name: { method: 'elicitation/create', params: FORM },
  client_roots: { method: 'roots/list', params: {} },
};

verifies('agents.input-required.result', async (wire) => {
  wire.declare({ elicitation: {}, roots: {} });
  wire.broker.behaviour = () => ({
    callId: 'c',
    outcome: { kind: 'input-required', requests: REQUESTS, state: 'sealed' },
  });
  for (const [method, params] of [
    ['tools/call', CALL],
    ['prompts/get', { name: 'files__summary' }],
    ['resources/read', { uri: 'test://a' }],
  ] as const) {
    const { status, message } = await wire.request(method, params);
    expect(status).toBe(wire.transport === 'http' ? 200 : undefined);
    expect(message.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: REQUESTS,
      requestState: 'sealed',
    });
  }
});

verifies('agents.input-required.resumed', async (wire) => {
  const inputResponses = { user_name: { action: 'accept', content: { name: 'Ana' } }, more: { of: 'none' } };
  await wire.request('tools/call', { ...CALL, arguments: { a: 1 }, inputResponses, requestState: ' sealed\u00e4 ' });
  expect(wire.broker.calls[0]).toMatchObject({
    args: { a: 1 },
    resumption: { state: ' sealed\u00e4 ', responses: inputResponses },
  });
});

verifies('agents.input-required.stale', async (wire) => {
  wire.broker.behaviour = () => refused({ reason: 'request-state-invalid', message: 'replayed' });
  const { message } = await wire.request('tools/call', { ...CALL, inputResponses: {}, requestState: 'old' });
  expect(message.error).toEqual({
    code: -32602,
    message: 'Invalid params: `requestState` is not valid for this request',
  });
});

verifies('agents.capability-missing', async (wire) => {
  const error = { code: -32021, message: 'sampling is needed', data: { requiredCapabilities: { sampling: {} } } };
  const outcome = { kind: 'failed', reason: 'capability-missing', message: 'x', inDoubt: false, error } as const;
  wire.broker.behaviour = () => ({ callId: 'c', outcome });
  const { status, message } = await wire.request('tools/call', CALL);
  expect(message.error).toEqual(error);
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});
