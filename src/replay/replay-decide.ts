import { LRUCache } from 'lru-cache';
import type { Call } from '../domain/call.ts';
import type { Control, Exchange } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target } from '../domain/target.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { AdmittedEntry, DecisionEntry, RecordedStep, RecordedTarget, RefusedEntry } from '../ledger/entry.ts';
import type { StoredDecision } from '../ledger/list-entries.ts';
import { hasValidHash, parseDecision, parseDigest } from '../ledger/stored-entry.ts';
import type { Digest } from '../lib/digest.ts';
import { errorMessage } from '../lib/text/error-message.ts';

/** Input of a replay: the recorded decisions, and the controls of each revision. */
export interface ReplayInput {
  /** Entries that record decisions, in order. */
  readonly decisions: Iterable<StoredDecision>;
  /** Builds all controls of a revision from its stored texts; undefined if the texts are not stored. */
  readonly controlsFor: (revision: Digest) => readonly Control[] | undefined;
  /** Creates the principal of a recorded call from the recorded credential; undefined if it is not valid. */
  readonly principalOf: (recorded: Pick<AdmittedEntry, 'principal' | 'credential'>) => Principal | undefined;
  /** Limit of the differences that are listed; all are counted. Default: 1,000. */
  readonly differenceLimit?: number;
}

/** Result of a replay. It succeeded only if `differenceCount` is 0 and `missing` is empty. */
export interface ReplayReport {
  readonly calls: number;
  readonly decisions: number;
  /** Steps recorded as `indeterminate`: the control failed, so there is no decision to repeat. */
  readonly undecidable: number;
  readonly differenceCount: number;
  /** The first differences, see `differenceLimit`. */
  readonly differences: readonly Difference[];
  /** Revisions whose policy set is not stored, and the number of decisions that could not be replayed. */
  readonly missing: readonly { readonly revision: string; readonly decisions: number }[];
}

/**
 * Repeats every recorded decision from its recorded facts and the policy set of its revision, without clock, network or
 * arguments. A difference means that a decision was not pure or that an entry was changed. Entries are read as a stream,
 * so memory does not grow with the number of calls.
 */
export function replayDecide(input: ReplayInput): ReplayReport {
  const replay = new Replay(input);
  for (const stored of input.decisions) replay.replay(stored);
  return replay.report();
}

/** Revisions whose controls are cached. Revisions follow each other in time, so few are needed at once. */
const CONTROLS_CACHE_SIZE = 8;

class Replay {
  readonly #input: ReplayInput;
  readonly #controls = new LRUCache<string, ReadonlyMap<string, Control> | 'missing'>({ max: CONTROLS_CACHE_SIZE });
  readonly #missing = new Map<string, number>();
  readonly #differences: Difference[] = [];
  #differenceCount = 0;
  #calls = 0;
  #decisions = 0;
  #undecidable = 0;

  constructor(input: ReplayInput) {
    this.#input = input;
  }

  replay(stored: StoredDecision): void {
    const entry = parseDecision(stored.body);
    const location = { callId: entry?.callId ?? 'unknown', seq: stored.seq };
    if (!hasValidHash(stored)) this.#report({ ...location, kind: 'body-changed' });
    if (entry === undefined) {
      this.#report({ ...location, kind: 'body-unreadable' });
      return;
    }
    if (entry.kind !== 'call.closed') this.#calls += 1;
    const inconsistency = findInconsistency(entry);
    if (inconsistency !== undefined) this.#report({ ...location, kind: 'inconsistent', detail: inconsistency });
    const intent = this.#intentOf(entry, stored);
    if (intent === undefined) {
      this.#report({ ...location, kind: 'intent-missing' });
      return;
    }
    this.#decideAgain(entry, stored.seq, intent);
  }

  report(): ReplayReport {
    return {
      calls: this.#calls,
      decisions: this.#decisions,
      undecidable: this.#undecidable,
      differenceCount: this.#differenceCount,
      differences: this.#differences,
      missing: [...this.#missing].map(([revision, decisions]) => ({ revision, decisions })),
    };
  }

  #intentOf(entry: DecisionEntry, stored: StoredDecision): AdmittedEntry | RefusedEntry | undefined {
    if (entry.kind !== 'call.closed') return entry;
    const intent = stored.intent === undefined ? undefined : parseDecision(stored.intent.body);
    return intent?.kind === 'call.admitted' && intent.callId === entry.callId ? intent : undefined;
  }

  #decideAgain(entry: DecisionEntry, seq: number, intent: AdmittedEntry | RefusedEntry): void {
    const revision = entry.revision ?? '';
    const controls = this.#controlsFor(revision);
    if (controls === undefined) {
      this.#missing.set(revision, (this.#missing.get(revision) ?? 0) + entry.steps.length);
      return;
    }
    const call = this.#callOf(intent);
    if (call === undefined) {
      this.#report({ callId: entry.callId, seq, kind: 'inconsistent', detail: 'the recorded principal is not valid' });
      return;
    }
    const exchange: Exchange = entry.kind === 'call.closed' ? { call, result: {} } : { call };
    for (const step of entry.steps) {
      if (step.effect === 'indeterminate') {
        this.#undecidable += 1;
        continue;
      }
      this.#decisions += 1;
      const replayed = decideStep(controls.get(step.control), exchange, step);
      if (replayed.effect === step.effect && replayed.reason === step.reason && replayed.rule === step.rule) continue;
      const recorded = comparedDecision(step);
      this.#report({ callId: entry.callId, seq, kind: 'decision', control: step.control, recorded, replayed });
    }
  }

  #controlsFor(revision: string): ReadonlyMap<string, Control> | undefined {
    let cached = this.#controls.get(revision);
    if (cached === undefined) {
      const digest = parseDigest(revision);
      const controls = digest === undefined ? undefined : this.#input.controlsFor(digest);
      cached = controls === undefined ? 'missing' : new Map(controls.map((control) => [control.name, control]));
      this.#controls.set(revision, cached);
    }
    return cached === 'missing' ? undefined : cached;
  }

  #callOf(intent: AdmittedEntry | RefusedEntry): Call | undefined {
    const principal = this.#input.principalOf(intent);
    if (principal === undefined) return undefined;
    return {
      id: intent.callId,
      principal,
      subjects: intent.subjects,
      action: intent.action,
      target: toTarget(intent.target),
      args: {},
      context: { ...intent.context, session: intent.session },
      receivedAtMs: intent.atMs,
    };
  }

  #report(difference: Difference): void {
    this.#differenceCount += 1;
    if (this.#differences.length < (this.#input.differenceLimit ?? 1_000)) this.#differences.push(difference);
  }
}

function decideStep(control: Control | undefined, exchange: Exchange, step: RecordedStep): ComparedDecision {
  if (control === undefined) return { effect: 'no-such-control' };
  try {
    return comparedDecision(control.decide(exchange, step.facts));
  } catch (error) {
    // A control that threw was recorded as `indeterminate`, so a throw here is a difference.
    return { effect: 'threw', detail: errorMessage(error) };
  }
}

/**
 * Rebuilds a target from its entry. Schemas, cost and labels are not recorded: the controls that read them recorded them
 * as facts, so no decision reads them here.
 */
export function toTarget(recorded: RecordedTarget): Target {
  const { id } = recorded;
  if (id === 'tool:unknown' || id === 'prompt:unknown' || id === 'resource:unknown') {
    return { kind: 'unknown', id, exposedName: 'exposedName' in recorded ? recorded.exposedName : '' };
  }
  const [, kind = '', server = '', name = ''] = /^([^:]*):([^/]*)\/?(.*)$/s.exec(id) ?? [];
  const common = {
    server,
    exposedName: name,
    risk: 'risk' in recorded ? recorded.risk : 'destructive',
    labels: [],
    costNanoUsd: 0,
    timeoutMs: 0,
    maxResultBytes: 0,
    payloads: 'digest' as const,
    definition: {},
    definitionDigest: 'definitionDigest' in recorded ? recorded.definitionDigest : NO_DIGEST,
  };
  switch (kind) {
    case 'prompt':
      return { ...common, kind, id: `prompt:${server}/${name}`, prompt: name, inputSchema: {} };
    case 'resource':
      // No decision depends on whether it was a resource or a template.
      return { ...common, kind, id: `resource:${server}/${name}`, uri: name };
    case 'server':
      return { ...common, kind, id: `server:${server}` };
    default:
      return { ...common, kind: 'tool', id: `tool:${server}/${name}`, tool: name, inputSchema: {} };
  }
}

const NO_DIGEST = 'sha256:';

/** The part of a decision that is compared. */
export interface ComparedDecision {
  readonly effect: string;
  readonly reason?: string;
  readonly rule?: string;
  /** Message of the error, if the control threw. */
  readonly detail?: string;
}

/** One difference between the ledger and its replay. */
export type Difference = {
  /** `unknown` if the body is not readable. */
  readonly callId: string;
  /** Sequence number of the entry. */
  readonly seq: number;
} & (
  | {
      readonly kind: 'decision';
      readonly control: string;
      readonly recorded: ComparedDecision;
      readonly replayed: ComparedDecision;
    }
  /** The body does not match the hash that was written with it, is not readable, or the intent of the call is missing. */
  | { readonly kind: 'body-changed' | 'body-unreadable' | 'intent-missing' }
  /** The steps do not lead to the decision of the entry. */
  | { readonly kind: 'inconsistent'; readonly detail: string }
);

/** Returns the comparable part of a verdict or a recorded step. */
export function comparedDecision(verdict: Verdict | RecordedStep): ComparedDecision {
  const reason = 'reason' in verdict ? verdict.reason : undefined;
  const rule = 'rule' in verdict ? verdict.rule : undefined;
  return {
    effect: verdict.effect,
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Returns the reason why the steps of an entry cannot have led to its decision; undefined if they can. */
export function findInconsistency(entry: DecisionEntry): string | undefined {
  const refusedIndex = entry.steps.findIndex(({ effect }) => effect !== 'allow');
  if (refusedIndex >= 0 && refusedIndex < entry.steps.length - 1) return 'a step follows one that did not allow';
  const last = entry.steps.at(-1);
  switch (entry.kind) {
    case 'call.admitted':
      return refusedIndex >= 0 ? 'the call was admitted although a step did not allow it' : undefined;
    case 'call.refused':
      // The pipeline itself refuses a call that comes while the broker stops, before any step.
      if (entry.stage === 'walk' || entry.stage === 'ledger') return undefined;
      return refusalMismatch(entry, last);
    case 'call.closed':
      if (entry.outcome === 'refused') return refusalMismatch(entry, last);
      return refusedIndex >= 0 ? 'the result was passed on although a step did not allow it' : undefined;
  }
}

function refusalMismatch(
  entry: {
    readonly stage?: string | undefined;
    readonly reason?: string | undefined;
    readonly rule?: string | undefined;
  },
  last: RecordedStep | undefined,
): string | undefined {
  if (last === undefined || last.effect === 'allow') return 'the call was refused although no step refused it';
  if (last.control !== entry.stage) return `the refusal names ${entry.stage}, the last step is ${last.control}`;
  if (last.reason !== entry.reason) return `the refusal says ${entry.reason}, the last step ${last.reason}`;
  return last.rule === entry.rule ? undefined : 'the refusal and the last step name different rules';
}
