import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InteropHome, interopHome } from '../../fixtures/homes/interop-home.ts';
import { fetchPackages } from '../../fixtures/programs/fetched-packages.ts';

const fetched = await fetchPackages();
const DOCUMENT = 'demo://resource/static/document/features.md';

let at: InteropHome;
beforeAll(async () => {
  at = await interopHome();
});
afterAll(() => at.home.close());

type Result = Readonly<Record<string, unknown>>;

describe.skipIf(fetched === undefined)('the MCP clients of agent kits, through the broker', () => {
  test('the OpenAI Agents SDK lists, calls and reads', async () => {
    const { MCPServerStreamableHttp } = ((await fetched?.load('@openai/agents-core')) ?? {}) as {
      readonly MCPServerStreamableHttp: new (
        options: object,
      ) => {
        connect(): Promise<void>;
        close(): Promise<void>;
        listTools(): Promise<readonly { readonly name: string }[]>;
        callTool(name: string, args: object): Promise<unknown>;
        listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>;
        readResource(uri: string): Promise<{ readonly contents: readonly Result[] }>;
      };
    };
    const server = new MCPServerStreamableHttp({
      ...{ name: 'seneschal', url: at.http.url },
      requestInit: { headers: at.http.headers },
    });
    await server.connect();
    expect((await server.listTools()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['everything__echo', 'files__read_text_file', 'memory__read_graph']),
    );
    expect(await server.callTool('everything__echo', { message: 'hallo' })).toEqual([
      { type: 'text', text: 'Echo: hallo' },
    ]);
    expect((await server.listResources()).resources.map(({ uri }) => uri)).toContain(DOCUMENT);
    expect((await server.readResource(DOCUMENT)).contents[0]).toMatchObject({ uri: DOCUMENT });
    await server.close();
  });

  test('the MCP client of the Vercel AI SDK lists, calls, reads and gets', async () => {
    const { createMCPClient } = ((await fetched?.load('@ai-sdk/mcp')) ?? {}) as {
      readonly createMCPClient: (config: object) => Promise<{
        tools(): Promise<
          Readonly<Record<string, { execute(args: object, options: object): Promise<{ readonly content: unknown }> }>>
        >;
        listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>;
        readResource(args: { uri: string }): Promise<{ readonly contents: readonly Result[] }>;
        getPrompt(args: { name: string; arguments?: object }): Promise<{ readonly messages: readonly unknown[] }>;
        close(): Promise<void>;
      }>;
    };
    const client = await createMCPClient({ transport: { type: 'http', url: at.http.url, headers: at.http.headers } });
    const tools = await client.tools();
    expect(Object.keys(tools)).toEqual(
      expect.arrayContaining(['everything__echo', 'files__read_text_file', 'memory__read_graph']),
    );
    const result = await tools.everything__echo?.execute({ message: 'hallo' }, { toolCallId: '1', messages: [] });
    expect(result?.content).toEqual([{ type: 'text', text: 'Echo: hallo' }]);
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toContain(DOCUMENT);
    expect((await client.readResource({ uri: DOCUMENT })).contents[0]).toMatchObject({ uri: DOCUMENT });
    const prompt = await client.getPrompt({ name: 'everything__simple-prompt' });
    expect(prompt.messages).toHaveLength(1);
    await client.close();
  });

  test('the MCP client of the Vercel AI SDK is asked by a tool server, which is named to it, and answers', async () => {
    const { createMCPClient, ElicitationRequestSchema } = ((await fetched?.load('@ai-sdk/mcp')) ?? {}) as {
      readonly createMCPClient: (config: object) => Promise<{
        tools(): Promise<Readonly<Record<string, { execute(args: object, options: object): Promise<unknown> }>>>;
        onElicitationRequest(schema: unknown, answer: (request: { params: Result }) => Promise<object>): void;
        close(): Promise<void>;
      }>;
      readonly ElicitationRequestSchema: unknown;
    };
    const client = await createMCPClient({
      transport: { type: 'http', url: at.http.url, headers: at.http.headers },
      capabilities: { elicitation: {} },
    });
    const asked: unknown[] = [];
    client.onElicitationRequest(ElicitationRequestSchema, async ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { name: 'Ana' } };
    });
    const ask = (await client.tools())['everything__trigger-elicitation-request'];
    const result = await ask?.execute({}, { toolCallId: '1', messages: [] });
    expect(asked).toEqual([expect.stringContaining('everything')]);
    expect(JSON.stringify(result)).toContain('Ana');
    await client.close();
  });

  test('the MCP helpers of the Anthropic SDK run tools, read and get', async () => {
    const { mcpTools, mcpMessages, mcpResourceToContent } = ((await fetched?.load(
      '@anthropic-ai/sdk/helpers/beta/mcp',
    )) ?? {}) as {
      readonly mcpTools: (
        tools: readonly unknown[],
        client: unknown,
      ) => readonly { readonly name: string; run(args: object): Promise<unknown> }[];
      readonly mcpMessages: (messages: readonly unknown[]) => readonly unknown[];
      readonly mcpResourceToContent: (result: unknown) => Result;
    };
    const client = new Client({ name: 'kit', version: '1.0.0' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(at.http.url), { requestInit: { headers: { ...at.http.headers } } }),
    );
    const tools = mcpTools((await client.listTools()).tools, client);
    expect(tools.map(({ name }) => name)).toContain('everything__echo');
    const echo = tools.find(({ name }) => name === 'everything__echo');
    expect(await echo?.run({ message: 'hallo' })).toMatchObject([{ type: 'text', text: 'Echo: hallo' }]);
    expect(mcpResourceToContent(await client.readResource({ uri: DOCUMENT }))).toMatchObject({ type: 'document' });
    const { messages } = await client.getPrompt({ name: 'everything__simple-prompt' });
    expect(mcpMessages(messages)).toHaveLength(1);
    await client.close();
  });
});
