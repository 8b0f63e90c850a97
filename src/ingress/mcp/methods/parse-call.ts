import { OPERATIONS, type Operation, type Resumption } from '../../../domain/call.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';

/** What a governed request asks for. */
export interface ParsedCall {
  readonly operation: Operation;
  /** The name, URI or URI template. */
  readonly name: string;
  readonly args: JsonObject;
  /** Where the call goes on after a question. */
  readonly resumption?: Resumption;
}

const NO_ARGUMENTS: JsonObject = Object.freeze({});

const PARSERS: Readonly<Record<string, (params: JsonObject) => ParsedCall | string>> = {
  'tools/call': (params) => parseNamed(params, OPERATIONS.callTool),
  'prompts/get': (params) => parseNamed(params, OPERATIONS.getPrompt),
  'resources/read': (params) => parseUri(params, OPERATIONS.readResource),
  'completion/complete': parseCompletion,
};

/** What only the legacy era has as a request of its own; since 2026-07-28 a listen request names its resources. */
const SUBSCRIBE = 'resources/subscribe';

/** True for the requests that walk the chain; all others are answered by the door itself. */
export function isCall(method: string, era: Era): boolean {
  return method === 'tools/call' || Object.hasOwn(PARSERS, method) || (method === SUBSCRIBE && era === 'legacy');
}

/** Reads the parameters of a governed request. @returns what is wrong with them, as one clause, where something is. */
export function parseCall(method: string, params: JsonObject): ParsedCall | string {
  if (method === SUBSCRIBE) return parseUri(params, OPERATIONS.subscribeResource);
  const parsed = PARSERS[method]?.(params) ?? 'the method is not governed';
  const { requestState, inputResponses } = params;
  // A client gives back the state that it was given, and we give one with every question (2026-07-28, patterns/mrtr).
  if (typeof parsed === 'string' || requestState === undefined || method === 'completion/complete') return parsed;
  if (inputResponses !== undefined && !isJsonObject(inputResponses)) return '`inputResponses` is not an object';
  return { ...parsed, resumption: { state: requestState, responses: inputResponses ?? NO_ARGUMENTS } };
}

function parseNamed({ name, arguments: args = NO_ARGUMENTS }: JsonObject, operation: Operation): ParsedCall | string {
  if (typeof name !== 'string') return '`name` is not a string';
  return isJsonObject(args) ? { operation, name, args } : '`arguments` is not an object';
}

function parseUri({ uri }: JsonObject, operation: Operation): ParsedCall | string {
  return typeof uri === 'string' ? { operation, name: uri, args: NO_ARGUMENTS } : '`uri` is not a string';
}

function parseCompletion({ ref, argument, context }: JsonObject): ParsedCall | string {
  if (!isJsonObject(ref)) return '`ref` is not an object';
  if (argument === undefined) return '`argument` is missing';
  const args = context === undefined ? { argument } : { argument, context };
  if (ref.type === 'ref/prompt' && typeof ref.name === 'string') {
    return { operation: OPERATIONS.completePrompt, name: ref.name, args };
  }
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    return { operation: OPERATIONS.completeTemplate, name: ref.uri, args };
  }
  return '`ref` is neither a prompt with a `name` nor a resource with a `uri`';
}
