import { OPERATIONS, type Operation, type Resumption } from '../../../domain/call.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { JsonRpcRequest } from '../protocol/json-rpc.ts';

/** Parameters of a request that passes the pipeline. */
export interface ParsedCall {
  readonly operation: Operation;
  /** Name, URI or URI template of the target. */
  readonly name: string;
  readonly args: JsonObject;
  /** Set if the request resumes a suspended call. */
  readonly resumption?: Resumption | undefined;
}

/** Why the parameters of a call cannot be parsed, as one clause. */
export interface InvalidCall {
  readonly problem: string;
}

const NO_ARGUMENTS: JsonObject = Object.freeze({});

const PARSERS: Readonly<Record<string, (params: JsonObject) => ParsedCall | InvalidCall>> = {
  'tools/call': (params) => parseNamed(params, OPERATIONS.callTool),
  'prompts/get': (params) => parseNamed(params, OPERATIONS.getPrompt),
  'resources/read': (params) => parseUri(params, OPERATIONS.readResource),
  'completion/complete': parseCompletion,
};

/** A method of the legacy era. Since 2026-07-28 `subscriptions/listen` names the resources. */
const SUBSCRIBE = 'resources/subscribe';

/** Parses a request that passes the pipeline. @returns undefined for any other method. */
export function parseCall({ method, params }: JsonRpcRequest, era: Era): ParsedCall | InvalidCall | undefined {
  if (method === SUBSCRIBE && era === 'legacy') return parseUri(params, OPERATIONS.subscribeResource);
  if (!Object.hasOwn(PARSERS, method)) return undefined;
  const parsed = PARSERS[method]?.(params);
  const { requestState, inputResponses } = params;
  // A client returns the state that it was given with every input request (2026-07-28, patterns/mrtr).
  if (parsed === undefined || 'problem' in parsed || requestState === undefined || method === 'completion/complete') {
    return parsed;
  }
  if (inputResponses !== undefined && !isJsonObject(inputResponses)) {
    return { problem: '`inputResponses` is not an object' };
  }
  // In the legacy era these members have no meaning.
  if (era === 'legacy') return parsed;
  return { ...parsed, resumption: { state: requestState, responses: inputResponses ?? NO_ARGUMENTS } };
}

function parseNamed(
  { name, arguments: args = NO_ARGUMENTS }: JsonObject,
  operation: Operation,
): ParsedCall | InvalidCall {
  if (typeof name !== 'string') return { problem: '`name` is not a string' };
  return isJsonObject(args) ? { operation, name, args } : { problem: '`arguments` is not an object' };
}

function parseUri({ uri }: JsonObject, operation: Operation): ParsedCall | InvalidCall {
  return typeof uri === 'string' ? { operation, name: uri, args: NO_ARGUMENTS } : { problem: '`uri` is not a string' };
}

function parseCompletion({ ref, argument, context }: JsonObject): ParsedCall | InvalidCall {
  if (!isJsonObject(ref)) return { problem: '`ref` is not an object' };
  if (argument === undefined) return { problem: '`argument` is missing' };
  const args = context === undefined ? { argument } : { argument, context };
  if (ref.type === 'ref/prompt' && typeof ref.name === 'string') {
    return { operation: OPERATIONS.completePrompt, name: ref.name, args };
  }
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    return { operation: OPERATIONS.completeTemplate, name: ref.uri, args };
  }
  return { problem: '`ref` is neither a prompt with a `name` nor a resource with a `uri`' };
}
