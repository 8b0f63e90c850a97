import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import { asText, RpcError } from './exchange.ts';
import { headerOf, type Message } from './http-io.ts';

export const VERSION = '2026-07-28';
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** Refuses a request whose envelope or headers are not those of 2026-07-28 (streamable-http, "Server Validation"). */
export function checkRequest(
  request: IncomingMessage,
  { method = '', params }: Message,
  toolOf: (name: JsonValue | undefined) => JsonObject | undefined,
): void {
  const meta = isJsonObject(params._meta) ? params._meta : {};
  const version = meta[META.protocolVersion];
  if (typeof version !== 'string' || !isJsonObject(meta[META.clientCapabilities])) {
    throw new RpcError(-32602, 'Invalid params: the envelope is not complete', { status: 400 });
  }
  const name = method === 'resources/read' ? params.uri : params.name;
  const named = method === 'resources/read' || method === 'tools/call' || method === 'prompts/get';
  demandSame(headerOf(request, 'mcp-protocol-version'), version, 'MCP-Protocol-Version');
  demandSame(headerOf(request, 'mcp-method'), method, 'Mcp-Method');
  if (named) demandSame(decoded(headerOf(request, 'mcp-name')), name, 'Mcp-Name');
  if (version !== VERSION) {
    const data = { supported: [VERSION], requested: version };
    throw new RpcError(-32022, 'Unsupported protocol version', { data, status: 400 });
  }
  if (method === 'tools/call') demandMirrors(request, toolOf(params.name), params.arguments);
}

/** Arguments that `x-mcp-header` annotates must be repeated by `Mcp-Param-…`. */
function demandMirrors(request: IncomingMessage, tool: JsonObject | undefined, args: JsonValue | undefined): void {
  const schema = tool?.inputSchema;
  if (!isJsonObject(schema) || !isJsonObject(schema.properties)) return;
  for (const [name, property] of Object.entries(schema.properties)) {
    const annotation = isJsonObject(property) ? property['x-mcp-header'] : undefined;
    if (typeof annotation !== 'string') continue;
    const header = headerOf(request, `mcp-param-${annotation.toLowerCase()}`);
    const value = isJsonObject(args) ? args[name] : undefined;
    if (header !== undefined || value !== undefined) demandSame(decoded(header), value, `Mcp-Param-${annotation}`);
  }
}

function demandSame(header: string | undefined, value: JsonValue | undefined, name: string): void {
  if (header !== undefined && header === asText(value)) return;
  throw new RpcError(-32020, `the header ${name} and the body disagree`, { status: 400 });
}

/** The text behind `=?base64?…?=`; undefined when it is not base64. */
function decoded(header: string | undefined): string | undefined {
  const base64 = /^=\?base64\?(.*)\?=$/.exec(header ?? '')?.[1];
  if (base64 === undefined) return header;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes.toString('utf8') : undefined;
}
