import type { Action } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { OfferedTarget, OfferKind, ServerTarget, Target } from '../domain/target.ts';
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
  /** The request row of a call that goes on after a question. */
  readonly resumedRow: readonly Control[];
  /** What the question of a tool server walks, and then its answer. */
  readonly questionRow: readonly Control[];
  readonly answerRow: readonly Control[];
  /** Everything of each kind that is pinned and admitted, sorted by exposed name. */
  readonly offers: Readonly<Record<OfferKind, readonly OfferedTarget[]>>;
  /** False while a server was not listed, so that it may offer what nobody knows of yet. */
  readonly isComplete: boolean;
  /** What a name, URI or URI template stands for; undefined when it stands for nothing. */
  resolve(exposedName: string, kind: OfferKind): OfferedTarget | undefined;
  /** A tool server as one that asks; also one that the registry has no more. */
  serverOf(name: string): ServerTarget;
  /** Agent id, roles and team; empty when the registry no longer declares the agent, and then nothing is allowed. */
  subjectsOf(principal: Principal): readonly string[];
  /** True when some arguments could be allowed: visible means usable. */
  maySee(who: Asker, target: Target): boolean;
  /** True when the action could be allowed with some arguments. */
  mayEver(who: Asker, target: Target, action: Action): boolean;
}

/** Who asks. */
export interface Asker {
  readonly principal: Principal;
  readonly subjects: readonly string[];
}
