import { type Resumption, VERBS, type Verb } from '../../domain/call.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Era } from './modern-envelope.ts';

/** What a governed request asks for. */
export interface GovernedRequest {
  readonly verb: Verb;
  /** The name, URI or URI template. */
  readonly name: string;
  readonly args: JsonObject;
  /** Where the call goes on after a question. */
  readonly resumption?: Resumption;
}

const NO_ARGUMENTS: JsonObject = Object.freeze({});

const READERS: Readonly<Record<string, (params: JsonObject) => GovernedRequest | string>> = {
  'tools/call': (params) => readNamed(params, VERBS.callTool),
  'prompts/get': (params) => readNamed(params, VERBS.getPrompt),
  'resources/read': (params) => readUri(params, VERBS.readResource),
  'completion/complete': readCompletion,
};

/** What only the legacy era has as a request of its own; since 2026-07-28 a listen request names its resources. */
const SUBSCRIBE = 'resources/subscribe';

/** True for the requests that walk the chain; all others are answered by the door itself. */
export function isGoverned(method: string, era: Era): boolean {
  return method === 'tools/call' || Object.hasOwn(READERS, method) || (method === SUBSCRIBE && era === 'legacy');
}

/** Reads the parameters of a governed request. @returns what is wrong with them, as one clause, where something is. */
export function readGoverned(method: string, params: JsonObject): GovernedRequest | string {
  if (method === SUBSCRIBE) return readUri(params, VERBS.subscribeResource);
  const asked = READERS[method]?.(params) ?? 'the method is not governed';
  const { requestState, inputResponses } = params;
  // A client gives back the state that it was given, and we give one with every question (2026-07-28, patterns/mrtr).
  if (typeof asked === 'string' || requestState === undefined || method === 'completion/complete') return asked;
  if (inputResponses !== undefined && !isJsonObject(inputResponses)) return '`inputResponses` is not an object';
  return { ...asked, resumption: { state: requestState, responses: inputResponses ?? NO_ARGUMENTS } };
}

function readNamed({ name, arguments: args = NO_ARGUMENTS }: JsonObject, verb: Verb): GovernedRequest | string {
  if (typeof name !== 'string') return '`name` is not a string';
  return isJsonObject(args) ? { verb, name, args } : '`arguments` is not an object';
}

function readUri({ uri }: JsonObject, verb: Verb): GovernedRequest | string {
  return typeof uri === 'string' ? { verb, name: uri, args: NO_ARGUMENTS } : '`uri` is not a string';
}

function readCompletion({ ref, argument, context }: JsonObject): GovernedRequest | string {
  if (!isJsonObject(ref)) return '`ref` is not an object';
  if (argument === undefined) return '`argument` is missing';
  const args = context === undefined ? { argument } : { argument, context };
  if (ref.type === 'ref/prompt' && typeof ref.name === 'string') {
    return { verb: VERBS.completePrompt, name: ref.name, args };
  }
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    return { verb: VERBS.completeTemplate, name: ref.uri, args };
  }
  return '`ref` is neither a prompt with a `name` nor a resource with a `uri`';
}
