import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';

/** What a tool server may ask of the agent that called it, by the method it asks with. */
export const INPUT_REQUEST_ACTIONS = {
  'elicitation/create': 'elicit',
  'sampling/createMessage': 'sample',
  'roots/list': 'roots',
} as const;
export type InputRequestMethod = keyof typeof INPUT_REQUEST_ACTIONS;
export type InputRequestAction = (typeof INPUT_REQUEST_ACTIONS)[InputRequestMethod];

/** What a client declares that can answer each (MCP, "Capability negotiation"). */
export const CAPABILITY_FOR = { elicit: 'elicitation', sample: 'sampling', roots: 'roots' } as const;

/** How the message of a question begins that an agent's user sees: by the name that the registry gives the server. */
export function serverAttribution(server: string): string {
  return `The server "${server}" asks: `;
}

/** True for the methods of questions. */
export function isInputRequestMethod(method: string): method is InputRequestMethod {
  return Object.hasOwn(INPUT_REQUEST_ACTIONS, method);
}

/** One question of a tool server, as it asked it. */
export interface InputRequest {
  readonly method: InputRequestMethod;
  readonly params: JsonObject;
  /** The name that a server of 2026-07-28 gave the question; the older wire has none. */
  readonly key?: string;
}

/** What came of a question. */
export type InputResponse =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  /** `undeclared`: the agent's client never said that it can answer such a question. */
  | { readonly kind: 'unanswered'; readonly undeclared: boolean; readonly message: string };

/** A longer one names nothing: it would have to be kept for as long as its interaction lasts. */
const MAX_ELICITATION_ID_LENGTH = 256;

/** True for what may name an interaction at a URL. */
export function isElicitationId(id: JsonValue | undefined): id is string {
  return typeof id === 'string' && id.length <= MAX_ELICITATION_ID_LENGTH;
}

/** Hears that an interaction at a URL is over which an agent was asked to open. */
export interface UrlElicitationListener {
  /** `elicitationId` is the server's own. @returns false where the agent was not asked for it, or cannot be told. Never throws. */
  onComplete(elicitationId: string): boolean;
}

/** How a tool server asks the agent whose call it is at work on; `withdrawn` says that it takes the question back. Never rejects. */
export type SendInputRequest = (request: InputRequest, cancelSignal?: CancelSignal) => Promise<InputResponse>;
