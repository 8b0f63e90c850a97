import type { Action } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { ServerTarget, Target, ViewName } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { Digest } from '../lib/digest.ts';

/**
 * Immutable set of everything that a call is decided by. A call takes one snapshot when it is received: a reload changes
 * nothing for it, and its entries have exactly one revision.
 */
export interface Snapshot extends View {
  /** Digest of the policy files in force. */
  readonly revision: Digest;
  /** Digest of registry and lock in force. */
  readonly registry: Digest;
  readonly requestControls: readonly Control[];
  readonly responseControls: readonly Control[];
  /** Request controls of a retry of a suspended call. */
  readonly resumedControls: readonly Control[];
  /** Request controls of an input request. */
  readonly inputRequestControls: readonly Control[];
  /** Response controls of an input request. */
  readonly inputResponseControls: readonly Control[];
  /** Returns a view; undefined if there is none of that name. The snapshot itself is the view of all servers. */
  viewOf(name: ViewName): View | undefined;
  /** Returns a tool server as the target of its input requests, also one that the registry no longer has. */
  serverOf(name: string): ServerTarget;
  /** Returns agent id, roles and team; empty if the registry no longer declares the agent, and then nothing is allowed. */
  subjectsOf(principal: Principal): readonly string[];
  /** True if a call with some arguments could be allowed: visible means usable. */
  isVisible(caller: Caller, target: Target): boolean;
  /** True if the action could be allowed with some arguments. */
  couldBeAllowed(caller: Caller, target: Target, action: Action): boolean;
}

/** Principal and its subjects, as access is decided for them. */
export interface Caller {
  readonly principal: Principal;
  readonly subjects: readonly string[];
}
