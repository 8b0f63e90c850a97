import type { Call } from '../domain/call.ts';
import type { Control, Exchange } from '../domain/control.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target } from '../domain/target.ts';
import type { AdmittedEntry, DecisionEntry, RecordedStep, RecordedTarget, RefusedEntry } from '../ledger/entry.ts';
import type { StoredDecision } from '../ledger/list-entries.ts';
import { hasValidHash, parseDecision, parseDigest } from '../ledger/stored-entry.ts';
import type { Digest } from '../lib/digest.ts';
import { LruMap } from '../lib/lru.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import { type ComparedDecision, comparedDecision, type Difference, findInconsistency } from './difference.ts';

/** What a replay reads, and the rules it decides by. */
export interface ReplayInput {
  /** The entries that hold decisions, in order. */
  readonly decisions: Iterable<StoredDecision>;
  /** Both rows of the chain of a revision, built from the kept texts; undefined when they are not kept. */
  readonly controlsFor: (revision: Digest) => readonly Control[] | undefined;
  /** The principal of a recorded call, as `identity/` makes it of what was proved then; undefined when it was none. */
  readonly principalOf: (recorded: Pick<AdmittedEntry, 'principal' | 'credential'>) => Principal | undefined;
  /** Differences that are told one by one; the others are counted. Default: 1,000. */
  readonly differenceLimit?: number;
}

/** What came of it. `differenceCount` of 0 and an empty `missing` is the only good answer. */
export interface ReplayReport {
  readonly calls: number;
  readonly decisions: number;
  /** Steps that say `indeterminate`: a control failed, so that there is nothing to decide again. */
  readonly undecidable: number;
  readonly differenceCount: number;
  /** The first of them, see `differenceLimit`. */
  readonly differences: readonly Difference[];
  /** Revisions whose policy set is not kept, and how many decisions could not be replayed for it. */
  readonly missing: readonly { readonly revision: string; readonly decisions: number }[];
}

/**
 * Decides every recorded step again from its recorded facts, by the policy set of its revision: with neither clock nor
 * network nor arguments. What differs from the record is either a decision that was not pure or a record that was
 * changed, and both are told. Streams: memory does not grow with the number of calls.
 */
export function replayDecide(input: ReplayInput): ReplayReport {
  const replay = new Replay(input);
  for (const stored of input.decisions) replay.replay(stored);
  return replay.report();
}

/** Chains that are held ready. Revisions follow each other in time, so that few are ever needed at once. */
const CONTROLS_CACHE_SIZE = 8;

class Replay {
  readonly #input: ReplayInput;
  readonly #controls = new LruMap<string, ReadonlyMap<string, Control> | 'missing'>(CONTROLS_CACHE_SIZE);
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
      this.#report({ callId: entry.callId, seq, kind: 'inconsistent', detail: 'the principal is none' });
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
    // What threw then was recorded as `indeterminate`; a throw now is a decision that is not the same.
    return { effect: 'threw', detail: errorMessage(error) };
  }
}

/**
 * A target as far as an entry tells of it. What it does not tell (schemas, cost, labels) stands in the facts of the
 * controls that looked at it, so that no decision reads it here.
 */
export function toTarget(recorded: RecordedTarget): Target {
  const { id } = recorded;
  if (id === 'tool:unknown' || id === 'prompt:unknown' || id === 'resource:unknown') {
    return { kind: 'unknown', id, exposedName: 'exposedName' in recorded ? recorded.exposedName : '' };
  }
  const [, kind = '', server = '', name = ''] = /^([^:]*):([^/]*)\/?(.*)$/s.exec(id) ?? [];
  const common = {
    ...{ server, exposedName: name, risk: 'risk' in recorded ? recorded.risk : 'destructive', labels: [] },
    ...{ costNanoUsd: 0, timeoutMs: 0, maxResultBytes: 0, payloads: 'digest' as const, definition: {} },
    definitionDigest: 'definitionDigest' in recorded ? recorded.definitionDigest : NO_DIGEST,
  };
  switch (kind) {
    case 'prompt':
      return { ...common, kind, id: `prompt:${server}/${name}`, prompt: name, inputSchema: {} };
    case 'resource':
      // Whether it was a resource or a template no decision asks.
      return { ...common, kind, id: `resource:${server}/${name}`, uri: name };
    case 'server':
      return { ...common, kind, id: `server:${server}` };
    default:
      return { ...common, kind: 'tool', id: `tool:${server}/${name}`, tool: name, inputSchema: {} };
  }
}

const NO_DIGEST = 'sha256:';
