import type { Action } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { ServerTarget, Target, ViewName } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { Digest } from '../lib/digest.ts';

/**
 * Everything that a call is judged by, as one immutable set. A call takes the world once, when it is received, so
 * that a reload in its middle changes nothing for it and its entries carry exactly one revision.
 */
export interface Snapshot extends View {
  /** Digest of the policy files in force. */
  readonly revision: Digest;
  /** Digest of registry and lock in force. */
  readonly registry: Digest;
  readonly requestControls: readonly Control[];
  readonly responseControls: readonly Control[];
  /** The request row of a call that goes on after a question. */
  readonly resumedControls: readonly Control[];
  /** What the question of a tool server walks, and then its answer. */
  readonly inputRequestControls: readonly Control[];
  readonly inputResponseControls: readonly Control[];
  /** A part of this world; undefined where there is none of that name. The world itself is the whole. */
  viewOf(name: ViewName): View | undefined;
  /** A tool server as one that asks; also one that the registry has no more. */
  serverOf(name: string): ServerTarget;
  /** Agent id, roles and team; empty when the registry no longer declares the agent, and then nothing is allowed. */
  subjectsOf(principal: Principal): readonly string[];
  /** True when some arguments could be allowed: visible means usable. */
  isVisible(caller: Caller, target: Target): boolean;
  /** True when the action could be allowed with some arguments. */
  couldBeAllowed(caller: Caller, target: Target, action: Action): boolean;
}

/** Who asks. */
export interface Caller {
  readonly principal: Principal;
  readonly subjects: readonly string[];
}
