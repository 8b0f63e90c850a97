import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import type { Principal } from './principal.ts';
import type { FeatureKind, Target } from './target.ts';

/** What a call does to its target; the closed vocabulary of the `action` column. */
export const ACTIONS = ['call', 'read', 'get', 'complete', 'subscribe', 'elicit', 'sample', 'roots'] as const;
export type Action = (typeof ACTIONS)[number];

/** What an agent asks to be done, and to which kind of thing. */
export interface Operation {
  readonly action: Action;
  readonly kind: FeatureKind;
}

/** The requests that are governed, by what they do. */
export const OPERATIONS: Readonly<
  Record<
    'callTool' | 'getPrompt' | 'completePrompt' | 'readResource' | 'subscribeResource' | 'completeTemplate',
    Operation
  >
> = {
  callTool: { action: 'call', kind: 'tool' },
  getPrompt: { action: 'get', kind: 'prompt' },
  completePrompt: { action: 'complete', kind: 'prompt' },
  readResource: { action: 'read', kind: 'resource' },
  subscribeResource: { action: 'subscribe', kind: 'resource' },
  completeTemplate: { action: 'complete', kind: 'template' },
};

/** What a thing of each kind is for: who may never do it does not see the thing. */
export const PRIMARY_ACTION: Readonly<Record<FeatureKind, Action>> = {
  tool: 'call',
  prompt: 'get',
  resource: 'read',
  template: 'read',
};

/** What surrounds a call: facts of the wire that policy may speak of, none of them a proof of identity. */
export interface CallContext {
  readonly transport: 'http' | 'stdio';
  /** Protocol revision that the agent speaks, such as `2025-11-25`. */
  readonly protocolVersion: string;
  /** Our own session id on legacy connections; `stateless` on modern ones. */
  readonly session: string;
  /** W3C trace context that the agent sent, where it did. */
  readonly traceparent?: string;
}

/** What a call of a tool server's question knows beyond other calls. */
export interface InputRequestContext {
  /** Id of the call that the server was at work on when it asked. */
  readonly causedBy: string;
  /** What the agent's client declared that it can answer. */
  readonly capabilities: JsonObject;
}

/** What comes with a call that goes on where a question interrupted it. */
export interface Resumption {
  /** The `requestState` of the interrupted call, as it was sent back. */
  readonly state: JsonValue;
  /** Answers by the names of the questions. */
  readonly responses: JsonObject;
  /** What the state was found to be, once the hall has looked. */
  readonly stateCheck?: RequestStateCheck;
}

/** What a `requestState` turned out to be. All but `valid` are answered alike. */
export type RequestStateStatus = 'valid' | 'unreadable' | 'foreign' | 'expired' | 'spent';

/** What was found of the state that a call goes on with; the ids only where it is valid. */
export interface RequestStateCheck {
  readonly status: RequestStateStatus;
  /** Id of the call that began what goes on. */
  readonly originalCallId?: string;
  /** Id of the leg before this one, whose places and reservations wait for it. */
  readonly previousRoundId?: string;
}

/** One governed act. Immutable: a control that changes something returns an amendment. */
export interface Call {
  /** UUIDv7; also the decision id that a refusal names. */
  readonly id: string;
  readonly principal: Principal;
  /** Every subject the principal is: `agent:…`, then roles, then `team:…`; what globs of `limits.yaml` are matched with. */
  readonly subjects: readonly string[];
  readonly action: Action;
  readonly target: Target;
  readonly args: JsonObject;
  /** Arguments that the agent gave although they are fixed; what they hold is in no place. Default: none. */
  readonly overriddenArguments?: readonly string[];
  readonly context: CallContext;
  readonly receivedAtMs: number;
  /** Only where a tool server asks: its question is a call that the agent answers. */
  readonly inputRequest?: InputRequestContext;
  /** Only where the call goes on after a question. */
  readonly resumption?: Resumption | undefined;
}
