import type { JsonObject } from '../../../src/lib/json/json.ts';
import { textResult, toolNamed, type UpstreamTool } from './content-tools.ts';
import { asText, capabilityFor, demandCapabilities, type Question } from './exchange.ts';

/** A form with those fields, all of them required. */
export function form(
  message: string,
  properties: JsonObject,
  required: readonly string[] = Object.keys(properties),
): Question {
  return {
    method: 'elicitation/create',
    params: { message, requestedSchema: { type: 'object', properties, required } },
  };
}

function sample(text: string, maxTokens: number): Question {
  const messages = [{ role: 'user', content: { type: 'text', text } }];
  return { method: 'sampling/createMessage', params: { messages, maxTokens } };
}

const ROOTS: Question = { method: 'roots/list', params: {} };
const NAME = form('What is your name?', { name: { type: 'string' } });
const CONFIRM = form('Please confirm', { ok: { type: 'boolean' } });

const DEFAULTS: JsonObject = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const CHOICES = [1, 2, 3].map((number) => ({ const: `value${number}`, title: `Choice ${number}` }));
const ENUMS: JsonObject = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: CHOICES },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: CHOICES } },
};

const USER: JsonObject = {
  username: { type: 'string', description: "User's response" },
  email: { type: 'string', description: "User's email address" },
};

/** A tool that asks one round of questions and repeats the answers. */
function asking(
  name: string,
  questions: Readonly<Record<string, Question>>,
  { sealed = false }: { readonly sealed?: boolean } = {},
): UpstreamTool {
  return {
    definition: toolNamed(name),
    call: async (_args, exchange) =>
      textResult(`answers: ${JSON.stringify(await exchange.ask(questions, { sealed }))}`),
  };
}

/** Tools that ask the client: in the middle of the call before 2026-07-28, between two of its attempts since. */
export const ASKING_TOOLS: readonly UpstreamTool[] = [
  {
    definition: toolNamed('test_sampling', { prompt: { type: 'string' } }),
    call: async ({ prompt }, exchange) => {
      const { answer } = await exchange.ask({ answer: sample(asText(prompt), 100) });
      return textResult(`LLM response: ${JSON.stringify(answer?.content)}`);
    },
  },
  {
    definition: toolNamed('test_elicitation', { message: { type: 'string' } }),
    call: async ({ message }, exchange) => {
      const { answer } = await exchange.ask({ answer: form(asText(message), USER) });
      return textResult(`User response: ${JSON.stringify(answer)}`);
    },
  },
  asking('test_elicitation_sep1034_defaults', { answer: form('Please review', DEFAULTS, []) }),
  asking('test_elicitation_sep1330_enums', { answer: form('Please choose', ENUMS, []) }),
  asking('test_input_required_result_elicitation', { user_name: NAME }),
  asking('test_streaming_elicitation', { user_name: NAME }),
  asking('test_input_required_result_sampling', { capital_question: sample('What is the capital of France?', 100) }),
  asking('test_input_required_result_list_roots', { client_roots: ROOTS }),
  asking(
    'test_input_required_result_multiple_inputs',
    {
      ...{ user_name: NAME, greeting: sample('Generate a greeting', 50), client_roots: ROOTS },
    },
    { sealed: true },
  ),
  asking('test_input_required_result_tampered_state', { confirm: CONFIRM }, { sealed: true }),
  {
    definition: toolNamed('test_input_required_result_request_state'),
    call: async (_args, exchange) => {
      await exchange.ask({ confirm: CONFIRM }, { sealed: true });
      return textResult('state-ok');
    },
  },
  {
    definition: toolNamed('test_input_required_result_multi_round'),
    call: async (_args, exchange) => {
      const first = { step1: form('Step 1: What is your name?', { name: { type: 'string' } }) };
      const { step1 } = await exchange.ask(first, { sealed: true });
      const second = { step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }) };
      const { step2 } = await exchange.ask(second, { sealed: true });
      return textResult(JSON.stringify([step1, step2]));
    },
  },
  {
    definition: toolNamed('test_input_required_result_capabilities'),
    call: async (_args, exchange) => {
      const all = { user_name: NAME, greeting: sample('Generate a greeting', 50), client_roots: ROOTS };
      const able = Object.entries(all).filter(([, question]) => exchange.capabilities[capabilityFor(question)]);
      return textResult(JSON.stringify(await exchange.ask(Object.fromEntries(able))));
    },
  },
  {
    definition: toolNamed('test_missing_capability'),
    call: (_args, exchange) => {
      demandCapabilities(exchange.capabilities, [sample('anything', 1)]);
      return textResult('the client can be asked for samples');
    },
  },
];
