import type { Call } from '../../domain/call.ts';
import type { Era } from '../../domain/mcp/era.ts';
import type { FeatureTarget } from '../../domain/target.ts';
import type { Ids } from '../../lib/ids.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { paramHeaders } from '../protocol/param-headers.ts';
import type { RetryParams } from './interactive-call.ts';

/** What of a call goes out. */
export interface UpstreamRequest extends Pick<Call, 'action' | 'args'> {
  readonly target: FeatureTarget;
  /** What goes back to a stateless server that asked. */
  readonly retryParams?: RetryParams | undefined;
  /** W3C trace context of our own, only for a call that came with one. */
  readonly traceparent?: string | undefined;
}

/** A call as its server is asked. */
interface McpRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The one place that turns a target and its arguments into a request of MCP. */
export function toMcpRequest(request: UpstreamRequest, era: Era): McpRequest {
  const mcpRequest = toInitialRequest(request, era);
  const { retryParams, traceparent } = request;
  const retried =
    retryParams === undefined ? mcpRequest : { ...mcpRequest, params: { ...mcpRequest.params, ...retryParams } };
  return traceparent === undefined ? retried : withTraceparent(retried, traceparent);
}

/** With a trace context where both eras have it: in `_meta` (SEP-414), and over HTTP in the header of W3C too. */
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
    case 'resource':
      return { method: 'resources/read', params: { uri: target.uri } };
    case 'template':
      // INVARIANT: a template resolves for completions only.
      throw new Error('a template was read');
  }
}

function completionRef(target: FeatureTarget): JsonObject {
  if (target.kind === 'prompt') return { type: 'ref/prompt', name: target.prompt };
  return { type: 'ref/resource', uri: target.kind === 'template' ? target.uriTemplate : '' };
}

const PARENT_ID_BYTES = 8;
const PARTS = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * The trace context with which a call goes on to its tool server: the trace and the flags that it came with, under a
 * parent id of our own, in version 00 (W3C Trace Context, "Mutating the traceparent field"). Undefined where what came is
 * no valid context, which is then not handed on.
 */
export function childTraceparent(traceparent: string, ids: Ids): string | undefined {
  const [, traceId, flags] = PARTS.exec(traceparent) ?? [];
  if (traceId === undefined || flags === undefined) return undefined;
  return `00-${traceId}-${Buffer.from(ids.randomBytes(PARENT_ID_BYTES)).toString('hex')}-${flags}`;
}
