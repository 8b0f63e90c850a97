import { isJsonObject, type JsonObject } from '../../../src/lib/json/json.ts';
import { ASKING_TOOLS } from './asking-tools.ts';
import { CONTENT_TOOLS, textResult, toolNamed, type UpstreamTool } from './content-tools.ts';
import { asText, type Exchange, RpcError } from './exchange.ts';
import { liveTools } from './live-tools.ts';
import { LISTED_RESOURCES, PROMPTS, readResource, TEMPLATES, type UpstreamPrompt } from './offers.ts';

export type ChangingList = 'tools' | 'prompts';

const COMES_AND_GOES: UpstreamTool = {
  definition: toolNamed('test_comes_and_goes'),
  call: () => textResult('here'),
};
const PROMPT_THAT_COMES_AND_GOES: UpstreamPrompt = {
  definition: { name: 'test_prompt_comes_and_goes', description: 'comes and goes' },
  get: () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'here' } }] }),
};

/** Everything that the official suite asks a server for, without any era: what there is, and what it does. */
export class Everything {
  readonly #listeners = new Set<(list: ChangingList) => void>();
  readonly #present = { tools: false, prompts: false };
  readonly #tools: readonly UpstreamTool[] = [
    ...CONTENT_TOOLS,
    ...liveTools((list) => this.#change(list)),
    ...ASKING_TOOLS,
  ];

  /** Calls `listener` when a list has changed, until what it returns is called. */
  onChange(listener: (list: ChangingList) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True for the methods of every era that `answer` knows. */
  knows(method: string): boolean {
    return Object.hasOwn(this.#methods, method);
  }

  /** Answers one of them. `notFoundCode` is what the era says of a resource that is not there. */
  async answer(
    method: string,
    params: JsonObject,
    exchange: Exchange & { readonly notFoundCode: number },
  ): Promise<JsonObject> {
    const answer = this.#methods[method];
    if (answer === undefined) throw new RpcError(-32601, `Method not found: ${method}`);
    return answer(params, exchange);
  }

  /** The definition of a tool. */
  tool(name: unknown): JsonObject | undefined {
    return this.#allTools().find(({ definition }) => definition.name === name)?.definition;
  }

  readonly #methods: Readonly<
    Record<
      string,
      (params: JsonObject, exchange: Exchange & { readonly notFoundCode: number }) => JsonObject | Promise<JsonObject>
    >
  > = {
    'tools/list': () => ({ tools: this.#allTools().map(({ definition }) => definition) }),
    'prompts/list': () => ({ prompts: this.#allPrompts().map(({ definition }) => definition) }),
    'resources/list': () => ({ resources: LISTED_RESOURCES }),
    'resources/templates/list': () => ({ resourceTemplates: TEMPLATES }),
    'tools/call': ({ name, arguments: args }, exchange) => {
      const tool = this.#allTools().find(({ definition }) => definition.name === name);
      if (!tool) throw new RpcError(-32602, `Unknown tool: ${asText(name)}`);
      return tool.call(isJsonObject(args) ? args : {}, exchange);
    },
    'prompts/get': ({ name, arguments: args }, exchange) => {
      const prompt = this.#allPrompts().find(({ definition }) => definition.name === name);
      if (!prompt) throw new RpcError(-32602, `Unknown prompt: ${asText(name)}`);
      return prompt.get(isJsonObject(args) ? args : {}, exchange);
    },
    'resources/read': ({ uri }, { notFoundCode }) => readResource(asText(uri), notFoundCode),
    'completion/complete': () => ({ completion: { values: ['test', 'testing'], total: 2, hasMore: false } }),
  };

  #allTools(): readonly UpstreamTool[] {
    return this.#present.tools ? [...this.#tools, COMES_AND_GOES] : this.#tools;
  }

  #allPrompts(): readonly UpstreamPrompt[] {
    return this.#present.prompts ? [...PROMPTS, PROMPT_THAT_COMES_AND_GOES] : PROMPTS;
  }

  #change(list: ChangingList): void {
    this.#present[list] = !this.#present[list];
    for (const listener of this.#listeners) listener(list);
  }
}
