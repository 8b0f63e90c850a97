import { expect } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import type { InputRequest, InputResponse } from '../../../src/domain/mcp/input-request.ts';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import { isJsonObject, type JsonObject } from '../../../src/lib/json/json.ts';
import { callOf, textOf } from '../../fixtures/upstream-pool.ts';
import { verifies } from '../requirements/verifies.ts';
import { type ServerWire, TOOL } from '../wires/scripted-server.ts';

const FORM: JsonObject = { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } };
const ANSWER: JsonObject = { action: 'accept', content: { name: 'Ana' } };
const content = (text: string): JsonObject => ({ content: [{ type: 'text', text }] });

/** Calls for an agent that can be asked, and answers what its server asks. */
function callAsked(
  wire: ServerWire,
  capabilities: JsonObject,
  answer: (question: InputRequest) => InputResponse = () => ({ kind: 'answered', result: ANSWER }),
  { signal, expiryMs }: { signal: AbortSignal; expiryMs: number } = {
    ...{ signal: new AbortController().signal, expiryMs: 60_000 },
  },
): Promise<DispatchResult> {
  const link: ClientContext = {
    ...{ capabilities, logLevel: undefined, wantsProgress: false },
    ...{ progress: () => true, log: () => true },
  };
  const ask = (question: InputRequest) => Promise.resolve(answer(question));
  const asking = { capabilities, send: ask, expiryMs, preempt: () => false };
  return wire.upstream.pool.dispatch(callOf('act', { a: 1 }, { definition: TOOL }), {
    signal,
    clientContext: link,
    inputRequests: asking,
  });
}

const paramsOf = (message: JsonObject | undefined): JsonObject => (isJsonObject(message?.params) ? message.params : {});

verifies('servers.questions.capabilities', async (wire) => {
  await callAsked(wire, { elicitation: { form: {} } });
  await wire.upstream.call('act', {}, { definition: TOOL });
  const declared =
    wire.era === 'legacy'
      ? wire.of('initialize').map(({ message }) => paramsOf(message).capabilities)
      : wire.of('tools/call').map(({ message }) => Object(paramsOf(message)._meta)[`${META}/clientCapabilities`]);
  expect(declared).toEqual([{ elicitation: { form: {} } }, {}]);
});

const META = 'io.modelcontextprotocol';

/** What the broker answered to the question `q`. */
const answered = ({ received }: ServerWire): JsonObject | undefined =>
  received.find(({ message }) => message.id === 'q' && message.method === undefined)?.message;

function askWhileAtWork(wire: ServerWire): void {
  wire.answers['tools/call'] = async ({ say }) => {
    say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: FORM });
    await wire.until(() => answered(wire) !== undefined);
    return { result: content('gone on') };
  };
}

verifies('servers.questions.answered', async (wire) => {
  const asked: InputRequest[] = [];
  askWhileAtWork(wire);
  const outcome = await callAsked(wire, { elicitation: {} }, (question) => {
    asked.push(question);
    return { kind: 'answered', result: ANSWER };
  });
  expect(textOf(outcome)).toBe('gone on');
  expect(asked).toEqual([{ method: 'elicitation/create', params: FORM }]);
  expect(answered(wire)).toEqual({ jsonrpc: '2.0', id: 'q', result: ANSWER });
});

verifies('servers.questions.refused', async (wire) => {
  askWhileAtWork(wire);
  const outcome = await callAsked(wire, { elicitation: {} }, () => ({
    ...{ kind: 'unanswered', undeclared: false, message: 'policy says no' },
  }));
  expect(textOf(outcome)).toBe('gone on');
  expect(answered(wire)).toMatchObject({ id: 'q', error: { code: -31000 } });
});

const URL_WANTED: JsonObject = {
  ...{ code: -32042, message: 'log in first' },
  data: { elicitations: [{ mode: 'url', message: 'Log in.', url: 'https://example.org/', elicitationId: 'e' }] },
};
const complete = (elicitationId: string): JsonObject => ({
  ...{ jsonrpc: '2.0', method: 'notifications/elicitation/complete' },
  params: { elicitationId },
});

verifies('servers.urls.retried', async (wire) => {
  let [calls, asked] = [0, 0];
  wire.answers['tools/call'] = ({ say }) => {
    calls += 1;
    if (calls === 2) say(complete('e'));
    return calls <= 2 ? { error: URL_WANTED } : { result: content('gone on') };
  };
  const outcome = await callAsked(
    wire,
    { elicitation: { url: {} } },
    () => {
      asked += 1;
      return { kind: 'answered', result: { action: 'accept' } };
    },
    // Too short for a third try, but for one that the server itself gives rise to.
    { signal: new AbortController().signal, expiryMs: 1 },
  );
  expect([textOf(outcome), calls, asked]).toEqual(['gone on', 3, 1]);
});

verifies('servers.urls.unknown', async (wire) => {
  let calls = 0;
  wire.answers['tools/call'] = ({ say }) => {
    calls += 1;
    for (const id of ['f', 'e', 'e']) say(complete(id));
    return calls === 1 ? { error: URL_WANTED } : { result: content('gone on') };
  };
  expect(textOf(await callAsked(wire, { elicitation: { url: {} } }))).toBe('gone on');
  // No round is requested before the first response; the second ends the round that was requested.
  expect(wire.upstream.pool.status()[0]?.droppedMessages).toBe(5);
});

verifies('servers.urls.cancelled', async (wire) => {
  const call = new AbortController();
  wire.answers['tools/call'] = () => ({ error: URL_WANTED });
  const outcome = await callAsked(
    wire,
    { elicitation: { url: {} } },
    () => {
      setImmediate(() => call.abort());
      return { kind: 'answered', result: { action: 'accept' } };
    },
    { signal: call.signal, expiryMs: 60_000 },
  );
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'cancelled', inDoubt: false });
  expect(wire.of('tools/call').length).toBe(1);
});

/** Answers with a question until answers come. */
function wantInput(wire: ServerWire, state: JsonObject): void {
  wire.answers['tools/call'] = ({ params }) =>
    params.inputResponses === undefined
      ? {
          result: {
            resultType: 'input_required',
            inputRequests: { user_name: { method: 'elicitation/create', params: FORM } },
            ...state,
          },
        }
      : { result: content('gone on') };
}

verifies('servers.input-required.resumed', async (wire) => {
  const requestState = ' ä opaque "state" ';
  wantInput(wire, { requestState });
  expect(textOf(await callAsked(wire, { elicitation: {} }))).toBe('gone on');
  const [first, second] = wire.of('tools/call').map(({ message }) => message);
  expect(paramsOf(second)).toMatchObject({
    ...{ name: 'act', arguments: { a: 1 } },
    ...{ inputResponses: { user_name: ANSWER }, requestState },
  });
  expect(second?.id).not.toEqual(first?.id);
});

verifies('servers.input-required.stateless', async (wire) => {
  wantInput(wire, {});
  expect(textOf(await callAsked(wire, { elicitation: {} }))).toBe('gone on');
  expect(Object.keys(paramsOf(wire.of('tools/call')[1]?.message))).not.toContain('requestState');
});

verifies('servers.input-required.rounds', async (wire) => {
  wire.answers['tools/call'] = () => ({
    result: {
      resultType: 'input_required',
      inputRequests: { again: { method: 'elicitation/create', params: FORM } },
      requestState: 'never enough',
    },
  });
  expect(await callAsked(wire, { elicitation: {} })).toMatchObject({ kind: 'failed', reason: 'too-many-questions' });
  expect(wire.of('tools/call').length).toBe(9);
});
