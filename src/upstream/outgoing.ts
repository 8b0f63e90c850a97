import type { Call } from '../domain/call.ts';
import type { OfferedTarget } from '../domain/target.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Resumed } from './asked-call.ts';
import type { Era } from './era.ts';
import { mirroredHeaders } from './mcp/mirrored-headers.ts';

/** What of a call goes out. */
export interface Outgoing extends Pick<Call, 'action' | 'args'> {
  readonly target: OfferedTarget;
  /** What goes back to a stateless server that asked. */
  readonly resumed?: Resumed | undefined;
  /** W3C trace context of our own, only for a call that came with one. */
  readonly traceparent?: string | undefined;
}

/** A call as its server is asked. */
interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The one place that turns a target and its arguments into a request of MCP. */
export function requestOf(outgoing: Outgoing, era: Era): UpstreamRequest {
  const request = firstRequestOf(outgoing, era);
  const { resumed, traceparent } = outgoing;
  const again = resumed === undefined ? request : { ...request, params: { ...request.params, ...resumed } };
  return traceparent === undefined ? again : traced(again, traceparent);
}

/** With a trace context where both eras have it: in `_meta` (SEP-414), and over HTTP in the header of W3C too. */
function traced({ method, params, headers }: UpstreamRequest, traceparent: string): UpstreamRequest {
  return { method, params: { ...params, _meta: { traceparent } }, headers: { ...headers, traceparent } };
}

function firstRequestOf({ target, action, args }: Outgoing, era: Era): UpstreamRequest {
  if (action === 'complete') return { method: 'completion/complete', params: { ref: refOf(target), ...args } };
  switch (target.kind) {
    case 'tool': {
      const params = { name: target.tool, arguments: args };
      return { method: 'tools/call', params, headers: era === 'modern' ? mirroredHeaders(target, args) : undefined };
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

function refOf(target: OfferedTarget): JsonObject {
  if (target.kind === 'prompt') return { type: 'ref/prompt', name: target.prompt };
  return { type: 'ref/resource', uri: target.kind === 'template' ? target.uriTemplate : '' };
}
