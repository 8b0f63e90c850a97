import type { Call, CallContext } from '../domain/call.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Step } from './step.ts';

/** What was decided, under which rules. */
export interface DecidedCall {
  readonly call: Call;
  readonly steps: readonly Step[];
  readonly revision: Digest;
  readonly registry: Digest;
}

/** How an admitted call ended. */
export interface EndedCall extends DecidedCall {
  readonly outcome: Outcome;
  /** What came back, also where it is withheld; undefined when nothing did. */
  readonly result?: JsonObject;
  readonly costNanoUsd: number;
  readonly durationMs: number;
}

/**
 * The book as the hall writes it. Each act MUST NOT resolve before the entry is durable, and MUST reject when it
 * could not be made durable.
 */
export interface Recorder {
  /** The intent, before anything leaves. */
  admitted(decided: DecidedCall): Promise<void>;
  /** A call that no room let through. May sum refusals that an attacker could flood the book with. */
  refused(decided: DecidedCall, refusal: Refusal): Promise<void>;
  /** The outcome, before the reply. */
  closed(ended: EndedCall): Promise<void>;
  /** A message that never became a call. */
  malformed(message: {
    readonly principal: Principal;
    readonly context: CallContext;
    readonly code: number;
    readonly problem: string;
    readonly revision: Digest;
    readonly registry: Digest;
  }): Promise<void>;
}
