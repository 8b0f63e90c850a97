import type { Call } from '../../domain/call.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { FeatureTarget } from '../../domain/target.ts';
import type { Ids } from '../../lib/ids.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { paramHeaders } from '../protocol/param-headers.ts';
import type { RetryParams } from './interactive-call.ts';

/** Parts of a call that are sent to its server. */
export interface UpstreamRequest extends Pick<Call, 'action' | 'args'> {
  readonly target: FeatureTarget;
  /** Input responses for a stateless server. Default: this is the first attempt. */
  readonly retryParams?: RetryParams | undefined;
  /** W3C trace context of the broker. Default: the call came with none. */
  readonly traceparent?: string | undefined;
}

/** Call as an MCP request. */
interface McpRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Makes the MCP request of a call. */
export function toMcpRequest(request: UpstreamRequest, era: Era): McpRequest {
  const mcpRequest = toInitialRequest(request, era);
  const { retryParams, traceparent } = request;
  const retried =
    retryParams === undefined ? mcpRequest : { ...mcpRequest, params: { ...mcpRequest.params, ...retryParams } };
  return traceparent === undefined ? retried : withTraceparent(retried, traceparent);
}

/** Adds a trace context: in `_meta` (SEP-414), and over HTTP in the W3C header too. */
function withTraceparent({ method, params, headers }: McpRequest, traceparent: string): McpRequest {
  return { method, params: { ...params, _meta: { traceparent } }, headers: { ...headers, traceparent } };
}

function toInitialRequest({ target, action, args }: UpstreamRequest, era: Era): McpRequest {
  if (action === 'complete') return { method: 'completion/complete', params: { ref: completionRef(target), ...args } };
  switch (target.kind) {
    case 'tool': {
      const params = { name: target.tool, arguments: args };
      return { method: 'tools/call', params, headers: era === 'modern' ? paramHeaders(target, args) : undefined };
    }
    case 'prompt':
      return { method: 'prompts/get', params: { name: target.prompt, arguments: args } };
    case 'resource': {
      const method = action === 'subscribe' ? 'resources/subscribe' : 'resources/read';
      return { method, params: { uri: target.uri } };
    }
    case 'template':
      // INVARIANT: a template resolves for completions only.
      throw new Error(`a template cannot be read: ${target.id}`);
  }
}

function completionRef(target: FeatureTarget): JsonObject {
  if (target.kind === 'prompt') return { type: 'ref/prompt', name: target.prompt };
  return { type: 'ref/resource', uri: target.kind === 'template' ? target.uriTemplate : '' };
}

const PARENT_ID_BYTES = 8;
const PARTS = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * Makes the trace context for a tool server: trace id and flags of the agent, and a parent id of the broker, in version 00
 * (W3C Trace Context, "Mutating the traceparent field"). Returns undefined if the agent's context is invalid.
 */
export function childTraceparent(traceparent: string, ids: Ids): string | undefined {
  const [, traceId, flags] = PARTS.exec(traceparent) ?? [];
  if (traceId === undefined || flags === undefined) return undefined;
  return `00-${traceId}-${Buffer.from(ids.randomBytes(PARENT_ID_BYTES)).toString('hex')}-${flags}`;
}
