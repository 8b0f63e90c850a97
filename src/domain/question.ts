import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';

/** What a tool server may ask of the agent that called it, by the method it asks with. */
export const QUESTION_ACTIONS = {
  'elicitation/create': 'elicit',
  'sampling/createMessage': 'sample',
  'roots/list': 'roots',
} as const;
export type QuestionMethod = keyof typeof QUESTION_ACTIONS;
export type QuestionAction = (typeof QUESTION_ACTIONS)[QuestionMethod];

/** What a client declares that can answer each (MCP, "Capability negotiation"). */
export const CAPABILITY_OF = { elicit: 'elicitation', sample: 'sampling', roots: 'roots' } as const;

/** How the message of a question begins that an agent's user sees: by the name that the registry gives the server. */
export function askedBy(server: string): string {
  return `The server "${server}" asks: `;
}

/** True for the methods of questions. */
export function isQuestion(method: string): method is QuestionMethod {
  return Object.hasOwn(QUESTION_ACTIONS, method);
}

/** One question of a tool server, as it asked it. */
export interface ServerQuestion {
  readonly method: QuestionMethod;
  readonly params: JsonObject;
  /** The name that a server of 2026-07-28 gave the question; the older wire has none. */
  readonly key?: string;
}

/** What came of a question. */
export type QuestionAnswer =
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
export interface UrlCompletion {
  /** `elicitationId` is the server's own. @returns false where the agent was not asked for it, or cannot be told. Never throws. */
  complete(elicitationId: string): boolean;
}

/** How a tool server asks the agent whose call it is at work on; `withdrawn` says that it takes the question back. Never rejects. */
export type AskAgent = (question: ServerQuestion, withdrawn?: CancelSignal) => Promise<QuestionAnswer>;
