import { Client, ProtocolError, ProtocolErrorCode, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

/** The result of one call, as the agent gets it. */
export interface CallResult {
  /** First line of the text. */
  readonly text: string;
  /** `completed`, or the reason in the result. */
  readonly status: string;
}

/** A scripted agent: a client of the MCP SDK. */
export class Agent {
  readonly #client = new Client({ name: 'demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });

  /** Connects with an HTTP or stdio entry of an agent's config. */
  static async connect(
    entry:
      | { readonly url: string; readonly headers: Readonly<Record<string, string>> }
      | ConstructorParameters<typeof StdioClientTransport>[0],
  ): Promise<Agent> {
    const agent = new Agent();
    await agent.#client.connect(
      'url' in entry
        ? new StreamableHTTPClientTransport(new URL(entry.url), { requestInit: { headers: { ...entry.headers } } })
        : new StdioClientTransport(entry),
    );
    return agent;
  }

  async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<CallResult> {
    try {
      const { content, _meta, isError } = await this.#client.callTool({ name: tool, arguments: { ...args } });
      const [first] = content;
      const text = first?.type === 'text' ? first.text : '';
      return { text: text.split('\n')[0] ?? '', status: reasonIn(_meta) ?? (isError ? 'error' : 'completed') };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { text: error.message, status: error.code === ProtocolErrorCode.InvalidParams ? 'unknown-tool' : 'error' };
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function reasonIn(meta: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const decision = meta?.['dev.seneschal/decision'];
  if (typeof decision !== 'object' || decision === null || !('reason' in decision)) return undefined;
  return String(decision.reason);
}
