import type { JsonObject } from '../lib/json.ts';
import type { Principal } from './principal.ts';
import type { Target } from './target.ts';

/** What a call does to its target; the closed vocabulary of the `action` column. */
export const ACTIONS = ['call', 'read', 'get', 'complete', 'subscribe', 'elicit', 'sample', 'roots'] as const;
export type Action = (typeof ACTIONS)[number];

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
  readonly context: CallContext;
  readonly receivedAtMs: number;
}
