/** A tool to call, and its endpoint. */
export interface CallTarget {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly tool: string;
}

/** The header fields of a call of 2026-07-28. */
export function headersOf({ tool, headers }: CallTarget): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': tool,
    ...headers,
  };
}

/** The body of a call of 2026-07-28; `meta` adds members to its `_meta`. */
export function bodyOf({ tool }: CallTarget, id: number, meta: Readonly<Record<string, unknown>> = {}): string {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    ...meta,
  };
  const params = { name: tool, arguments: { id: `c-${id}`, depth: 1 }, _meta };
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
}
