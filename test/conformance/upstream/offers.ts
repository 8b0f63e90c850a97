import type { JsonObject } from '../../../src/lib/json/json.ts';
import { form } from './asking-tools.ts';
import { PNG } from './content-tools.ts';
import { asText, type Exchange, RpcError } from './exchange.ts';

/** A prompt as it is listed, and what it says. */
export interface UpstreamPrompt {
  readonly definition: JsonObject & { readonly name: string };
  get(args: JsonObject, exchange: Exchange): JsonObject | Promise<JsonObject>;
}

function promptNamed(name: string, ...args: readonly string[]): JsonObject & { readonly name: string } {
  const described = args.map((argument) => ({ name: argument, description: argument, required: true }));
  return { name, description: `${name.replaceAll('_', ' ')}, for the conformance suite`, arguments: described };
}

function said(content: JsonObject): JsonObject {
  return { role: 'user', content };
}

function text(words: string): JsonObject {
  return said({ type: 'text', text: words });
}

export const PROMPTS: readonly UpstreamPrompt[] = [
  {
    definition: promptNamed('test_simple_prompt'),
    get: () => ({ messages: [text('This is a simple prompt for testing.')] }),
  },
  {
    definition: promptNamed('test_prompt_with_arguments', 'arg1', 'arg2'),
    get: ({ arg1, arg2 }) => ({
      messages: [text(`Prompt with arguments: arg1='${asText(arg1)}', arg2='${asText(arg2)}'`)],
    }),
  },
  {
    definition: promptNamed('test_prompt_with_embedded_resource', 'resourceUri'),
    get: ({ resourceUri }) => {
      const resource = {
        uri: asText(resourceUri),
        mimeType: 'text/plain',
        text: 'Embedded resource content for testing.',
      };
      return { messages: [said({ type: 'resource', resource }), text('Please process the embedded resource above.')] };
    },
  },
  {
    definition: promptNamed('test_prompt_with_image'),
    get: () => ({
      messages: [said({ type: 'image', data: PNG, mimeType: 'image/png' }), text('Please analyze the image above.')],
    }),
  },
  {
    definition: promptNamed('test_input_required_result_prompt'),
    get: async (_args, exchange) => {
      const question = form('What context should the prompt use?', { context: { type: 'string' } });
      const { user_context: answer } = await exchange.ask({ user_context: question });
      return { messages: [text(`Context: ${JSON.stringify(answer?.content)}`)] };
    },
  },
];

/** Resources as they are listed, each with what it holds. */
const RESOURCES: Readonly<Record<string, { readonly name: string; readonly holds: JsonObject }>> = {
  'test://static-text': {
    name: 'static text',
    holds: { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  },
  'test://static-binary': { name: 'static binary', holds: { mimeType: 'image/png', blob: PNG } },
  'test://watched-resource': { name: 'watched', holds: { mimeType: 'text/plain', text: 'It may change.' } },
};

export const LISTED_RESOURCES: readonly JsonObject[] = Object.entries(RESOURCES).map(([uri, { name, holds }]) => ({
  ...{ uri, name, description: `${name}, for the conformance suite` },
  mimeType: holds.mimeType ?? null,
}));

export const TEMPLATES: readonly JsonObject[] = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'template',
    description: 'repeats its id, for the conformance suite',
    mimeType: 'application/json',
  },
];

/** What a resource holds. @throws RpcError where there is none, with the code that the era has for it. */
export function readResource(uri: string, notFoundCode: number): JsonObject {
  const listed = RESOURCES[uri];
  if (listed) return { contents: [{ uri, ...listed.holds }] };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new RpcError(notFoundCode, `Resource not found: ${uri}`, { data: { uri } });
  const body = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  return { contents: [{ uri, mimeType: 'application/json', text: body }] };
}
