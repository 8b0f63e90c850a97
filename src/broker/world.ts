import type { Control } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target, ToolTarget } from '../domain/target.ts';
import type { Digest } from '../lib/digest.ts';

/**
 * Everything that a call is judged by, as one immutable set. A call takes the world once, when it is received, so
 * that a reload in its middle changes nothing for it and its entries carry exactly one revision.
 */
export interface World {
  /** Digest of the policy files in force. */
  readonly revision: Digest;
  /** Digest of registry and lock in force. */
  readonly registry: Digest;
  readonly requestRow: readonly Control[];
  readonly resultRow: readonly Control[];
  /** Every tool that is pinned and admitted, sorted by exposed name. */
  readonly targets: readonly ToolTarget[];
  /** The tool of an exposed name; undefined when there is none. */
  resolve(exposedName: string): ToolTarget | undefined;
  /** Agent id, roles and team; empty when the registry no longer declares the agent, and then nothing is allowed. */
  subjectsOf(principal: Principal): readonly string[];
  /** True when some arguments could be allowed: visible means callable. */
  maySee(who: { readonly principal: Principal; readonly subjects: readonly string[] }, target: Target): boolean;
}
