import { expect, test } from 'vitest';
import type { Call } from '../../../src/domain/call.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { validateInput } from '../../../src/validation/input.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { validateOutput } from '../../../src/validation/output.ts';

const output = validateOutput(new SchemaCompiler());
const input = validateInput(new SchemaCompiler());
const signal = new AbortController().signal;

/** A call of a prompt or a resource, with the members that validation reads. */
function callOf(action: Call['action'], kind: 'prompt' | 'resource' | 'template', args: JsonObject = {}): Call {
  // `as`: a test cannot create a principal, and validation reads none.
  return { action, args, target: { kind, inputSchema: { type: 'object', required: ['city'] } } } as unknown as Call;
}

async function outputVerdict(call: Call, result: JsonObject): Promise<string> {
  const exchange = { call, result };
  const verdict = output.decide(exchange, await output.gather(exchange, { signal }));
  return verdict.effect === 'allow' ? 'valid' : verdict.message;
}

const message = { role: 'user', content: { type: 'text', text: 'hello' } };
const MESSAGES = 'the result is withheld: `messages` is not a list of messages with a role and a content block';
const CONTENTS =
  'the result is withheld: `contents` is not a list of contents that name their URI and hold text or a blob';
const COMPLETION = 'the result is withheld: `completion` does not hold a list of at most 100 strings';

test.each([
  [{ messages: [message, { ...message, role: 'assistant' }] }, 'valid'],
  [{ messages: [] }, 'valid'],
  [{}, MESSAGES],
  [{ messages: [{ ...message, role: 'system' }] }, MESSAGES],
  [{ messages: [{ role: 'user', content: 'hello' }] }, MESSAGES],
  [{ resultType: 'input_required', messages: [] }, 'the result is withheld: it is not a complete result'],
])('the result of a prompt, %o: %s', async (result, expected) => {
  expect(await outputVerdict(callOf('get', 'prompt'), result as JsonObject)).toBe(expected);
});

test.each([
  [
    {
      contents: [
        { uri: 'x:1', text: '' },
        { uri: 'x:2', blob: '' },
      ],
    },
    'valid',
  ],
  [{ contents: {} }, CONTENTS],
  [{ contents: [{ text: 'a' }] }, CONTENTS],
  [{ contents: [{ uri: 'x:1' }] }, CONTENTS],
  [{ contents: [{ uri: 'x:1', text: 'a', blob: 'a' }] }, CONTENTS],
])('the result of a resource, %o: %s', async (result, expected) => {
  expect(await outputVerdict(callOf('read', 'resource'), result as JsonObject)).toBe(expected);
});

test.each([
  [{ completion: { values: ['a'], total: 3, hasMore: true } }, 'valid'],
  [{ completion: { values: [1] } }, COMPLETION],
  [{ completion: { values: Array.from({ length: 101 }, () => 'a') } }, COMPLETION],
  [{}, COMPLETION],
])('the result of a completion, %o: %s', async (result, expected) => {
  expect(await outputVerdict(callOf('complete', 'template'), result as JsonObject)).toBe(expected);
});

async function refusal(call: Call): Promise<string> {
  const verdict = input.decide({ call }, await input.gather({ call }, { signal }));
  return verdict.effect === 'allow' ? 'valid' : verdict.message;
}

test('a prompt takes its declared arguments, a read none, and a completion one named string', async () => {
  expect(await refusal(callOf('get', 'prompt', { city: 'Bern' }))).toBe('valid');
  expect(await refusal(callOf('get', 'prompt'))).toContain(
    'the arguments do not match those that the prompt declares: `/city`',
  );
  expect(await refusal(callOf('read', 'resource'))).toBe('valid');
  expect(await refusal(callOf('read', 'resource', { uri: 'x:1' }))).not.toBe('valid');
  expect(await refusal(callOf('complete', 'prompt', { argument: { name: 'a', value: 'b' } }))).toBe('valid');
  expect(await refusal(callOf('complete', 'prompt', { argument: { name: 'a' } }))).toContain(
    'the parameters of a completion',
  );
});
