import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import type { Principal } from './principal.ts';
import type { FeatureKind, Target } from './target.ts';

/** Actions on a target: all values of the `action` column. */
export const ACTIONS = ['call', 'read', 'get', 'complete', 'subscribe', 'elicit', 'sample', 'roots'] as const;
export type Action = (typeof ACTIONS)[number];

/** Action that an agent requests, and the kind of its target. */
export interface Operation {
  readonly action: Action;
  readonly kind: FeatureKind;
}

/** Requests that pass the pipeline. */
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

/** Main action of each kind of feature. A principal that can never take it does not see the feature. */
export const PRIMARY_ACTION: Readonly<Record<FeatureKind, Action>> = {
  tool: 'call',
  prompt: 'get',
  resource: 'read',
  template: 'read',
};

/** Context of a call: facts of the connection that policy may use. None of them proves an identity. */
export interface CallContext {
  readonly transport: 'http' | 'stdio';
  /** Protocol revision that the agent speaks, such as `2025-11-25`. */
  readonly protocolVersion: string;
  /** Our own session id on legacy connections; `stateless` on modern ones. */
  readonly session: string;
  /** W3C trace context that the agent sent. Default: none. */
  readonly traceparent?: string;
}

/** Members that only an input request has. */
export interface InputRequestContext {
  /** Id of the call that the server was working on. */
  readonly causedBy: string;
  /** Capabilities that the agent's client declared. */
  readonly capabilities: JsonObject;
}

/** Members that only a retry of a suspended call has. */
export interface Resumption {
  /** `requestState` as the agent sent it. */
  readonly state: JsonValue;
  /** Input responses by the names of the input requests. */
  readonly responses: JsonObject;
  /** Result of checking `state`, set by the pipeline. */
  readonly stateCheck?: RequestStateCheck;
}

/** Status of a `requestState`. The agent gets the same error for all but `valid`. */
export type RequestStateStatus = 'valid' | 'unreadable' | 'foreign' | 'expired' | 'spent';

/** Result of checking a `requestState`. The ids are set only if it is valid. */
export interface RequestStateCheck {
  readonly status: RequestStateStatus;
  /** Id of the first round of the suspended call. */
  readonly originalCallId?: string;
  /** Id of the round before this one, whose slots and reservations this one takes over. */
  readonly previousRoundId?: string;
}

/** One governed request. Immutable: a control that changes something returns an amendment. */
export interface Call {
  /** UUIDv7. It is also the decision id in a refusal. */
  readonly id: string;
  readonly principal: Principal;
  /** Subjects of the principal: `agent:…`, then roles, then `team:…`. Globs of `limits.yaml` are matched against them. */
  readonly subjects: readonly string[];
  readonly action: Action;
  readonly target: Target;
  readonly args: JsonObject;
  /** Names of fixed arguments that the agent gave too. Their values are recorded nowhere. Default: none. */
  readonly overriddenArguments?: readonly string[];
  readonly context: CallContext;
  readonly receivedAtMs: number;
  /** Set only if the call is an input request of a tool server. */
  readonly inputRequest?: InputRequestContext;
  /** Set only if the call is a retry of a suspended call. */
  readonly resumption?: Resumption | undefined;
}
