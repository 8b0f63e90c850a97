import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';

/** Action of each method by which a tool server requests input. */
export const INPUT_REQUEST_ACTIONS = {
  'elicitation/create': 'elicit',
  'sampling/createMessage': 'sample',
  'roots/list': 'roots',
} as const;
export type InputRequestMethod = keyof typeof INPUT_REQUEST_ACTIONS;
export type InputRequestAction = (typeof INPUT_REQUEST_ACTIONS)[InputRequestMethod];

/** Client capability that each action needs (MCP, "Capability negotiation"). */
export const CAPABILITY_FOR = { elicit: 'elicitation', sample: 'sampling', roots: 'roots' } as const;

/** Returns the beginning of a message that a user sees: it names the server as the registry does. */
export function serverAttribution(server: string): string {
  return `The server "${server}" asks: `;
}

/** True for the methods of input requests. */
export function isInputRequestMethod(method: string): method is InputRequestMethod {
  return Object.hasOwn(INPUT_REQUEST_ACTIONS, method);
}

/** Input request as the tool server sent it. */
export interface InputRequest {
  readonly method: InputRequestMethod;
  readonly params: JsonObject;
  /** Name that a modern server gave it. A legacy server gives none. */
  readonly key?: string;
}

/** Response to an input request. */
export type InputResponse =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  /** `undeclared`: the client did not declare the capability. */
  | { readonly kind: 'unanswered'; readonly undeclared: boolean; readonly message: string };

/** A longer id is ignored, because each id is kept as long as its elicitation lasts. */
const MAX_ELICITATION_ID_LENGTH = 256;

/** True for a valid id of a URL elicitation. */
export function isElicitationId(id: JsonValue | undefined): id is string {
  return typeof id === 'string' && id.length <= MAX_ELICITATION_ID_LENGTH;
}

/** Receives the completion of URL elicitations. */
export interface UrlElicitationListener {
  /** `elicitationId` is that of the server. Never throws. @returns false if the agent did not get it, or cannot be notified. */
  onComplete(elicitationId: string): boolean;
}

/** Sends an input request to the agent of a call. `cancelSignal` withdraws it. Never rejects. */
export type SendInputRequest = (request: InputRequest, cancelSignal?: CancelSignal) => Promise<InputResponse>;
