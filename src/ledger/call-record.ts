import type { Call, CallContext } from '../domain/call.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target } from '../domain/target.ts';
import type { Digest } from '../lib/digest.ts';
import type { Clock } from '../lib/time.ts';
import type { Commitment } from './commitment.ts';
import type { AdmittedEntry, ClosedEntry, RecordedStep, RecordedTarget, RefusedEntry } from './entry.ts';
import type { Ledger, PayloadToStore } from './ledger.ts';
import type { RecoveryCheckpoint } from './recovery-checkpoint.ts';
import { RefusalAggregator } from './refusal-aggregator.ts';

/** A decision about a call, with the revisions that it was made under. */
export interface DecisionRecord {
  readonly call: Call;
  readonly steps: readonly RecordedStep[];
  readonly revision: Digest;
  readonly registry: Digest;
}

/** Outcome of an admitted call. */
export interface OutcomeRecord extends DecisionRecord {
  readonly outcome: Outcome;
  /** The result, as JSON text. */
  readonly resultText?: string | undefined;
  readonly costNanoUsd: number;
  readonly durationMs: number;
}

/** A message that was refused before it became a call. */
export interface MalformedRecord {
  readonly principal: Principal;
  readonly context: CallContext;
  readonly code: number;
  readonly problem: string;
  readonly revision: Digest;
  readonly registry: Digest;
}

/** Longest external text that an entry holds, in characters; longer texts are truncated. */
const TEXT_LIMIT = 1_000;
const WIRE_TEXT_LIMIT = 256;

/** Records calls in the ledger: intent, refusal, outcome. The keys of entries are in canonical order, for speed. */
export class CallRecord {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #aggregator: RefusalAggregator;
  readonly #checkpoint: RecoveryCheckpoint;

  constructor(ledger: Ledger, options: { readonly clock: Clock; readonly mark: RecoveryCheckpoint }) {
    this.#ledger = ledger;
    this.#clock = options.clock;
    this.#checkpoint = options.mark;
    this.#aggregator = new RefusalAggregator((entry) => ledger.append(entry));
  }

  /** Records the intent. MUST NOT resolve before it is durable; rejects if it could not be made durable. */
  async admitted(decided: DecisionRecord): Promise<void> {
    const { call } = decided;
    const args = this.#ledger.commit(call.args);
    const entry = decidedEntry(decided, args, this.#clock.wallMs());
    this.#checkpoint.callOpened(call.id);
    try {
      await this.#ledger.append(entry, this.#payload(call, args));
    } catch (error) {
      this.#checkpoint.writeFailed(call.id, error);
      throw error;
    }
    // The previous round is settled.
    const after = call.resumption?.stateCheck?.previousRoundId;
    if (after !== undefined) this.#checkpoint.callSettled(after);
  }

  /** Records a call that was refused before dispatch. Repeated refusals are aggregated; see `RefusalAggregator`. */
  async refused(decided: DecisionRecord, refusal: Refusal): Promise<void> {
    const args = this.#ledger.commit(decided.call.args);
    const entry = refusedEntry(decidedEntry(decided, args, this.#clock.wallMs()), refusal);
    if (!this.#aggregator.count(entry)) await this.#ledger.append(entry, this.#payload(decided.call, args));
  }

  /** Records the outcome. MUST NOT resolve before it is durable; rejects if it could not be made durable. */
  async closed(ended: OutcomeRecord): Promise<void> {
    const result = ended.resultText === undefined ? undefined : this.#ledger.commitText(ended.resultText);
    const entry = closedEntry(ended, result, this.#clock.wallMs());
    await this.#ledger.append(entry, result && this.#payload(ended.call, result));
    // A call that waits for an input response gets another round or a second outcome.
    if (ended.outcome.kind !== 'input-required') this.#checkpoint.callSettled(ended.call.id);
  }

  /** Records a message that did not become a call. Repeated refusals are aggregated. */
  async malformed(message: MalformedRecord): Promise<void> {
    const entry = {
      atMs: this.#clock.wallMs(),
      code: message.code,
      context: recordedContext(message.context),
      credential: recordedCredential(message.principal),
      kind: 'message.refused' as const,
      principal: message.principal.id,
      problem: truncate(message.problem, TEXT_LIMIT),
      registry: message.registry,
      revision: message.revision,
      session: truncate(message.context.session, WIRE_TEXT_LIMIT),
      v: 1 as const,
    };
    if (!this.#aggregator.count(entry)) await this.#ledger.append(entry);
  }

  /** Writes the aggregated refusals. Call it before the database is closed. */
  flush(): Promise<void> {
    return this.#aggregator.flush(this.#clock.wallMs());
  }

  #payload({ target }: Call, commitment: Commitment): PayloadToStore {
    // An unknown tool has no server and so no retention setting: keep the digest only.
    if (target.kind === 'unknown') return { commitment, retention: 'digest' };
    const { payloads: retention, payloadMaxBytes: maxBytes } = target;
    return maxBytes === undefined ? { commitment, retention } : { commitment, retention, maxBytes };
  }
}

function decidedEntry(decided: DecisionRecord, args: Commitment, atMs: number): AdmittedEntry {
  const { call } = decided;
  const entry: AdmittedEntry = {
    action: call.action,
    argsDigest: args.digest,
    atMs,
    callId: call.id,
    context: recordedContext(call.context),
    credential: recordedCredential(call.principal),
    kind: 'call.admitted',
    principal: call.principal.id,
    registry: decided.registry,
    revision: decided.revision,
    session: truncate(call.context.session, WIRE_TEXT_LIMIT),
    steps: decided.steps,
    subjects: call.subjects,
    target: recordedTarget(call.target),
    v: 1,
  };
  return call.inputRequest === undefined ? entry : { ...entry, causedBy: call.inputRequest.causedBy };
}

function refusedEntry(decided: AdmittedEntry, refusal: Refusal): RefusedEntry {
  return {
    ...decided,
    kind: 'call.refused',
    message: truncate(refusal.message, TEXT_LIMIT),
    reason: refusal.reason,
    stage: refusal.stage,
    ...(refusal.rule === undefined ? {} : { rule: refusal.rule }),
    ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs }),
  };
}

function closedEntry(ended: OutcomeRecord, result: Commitment | undefined, atMs: number): ClosedEntry {
  const { call, outcome } = ended;
  const withholdsResult = outcome.kind === 'refused' ? outcome : undefined;
  return {
    action: call.action,
    admittedAtMs: call.receivedAtMs,
    atMs,
    callId: call.id,
    costNanoUsd: ended.costNanoUsd,
    durationMs: ended.durationMs,
    inDoubt: outcome.kind === 'failed' && outcome.inDoubt,
    kind: 'call.closed',
    message: 'message' in outcome ? truncate(outcome.message, TEXT_LIMIT) : undefined,
    outcome: outcome.kind,
    principal: call.principal.id,
    reason: 'reason' in outcome ? outcome.reason : undefined,
    registry: ended.registry,
    resultBytes: outcome.kind === 'completed' ? outcome.resultBytes : undefined,
    resultDigest: result?.digest,
    revision: ended.revision,
    rule: withholdsResult?.rule,
    session: truncate(call.context.session, WIRE_TEXT_LIMIT),
    stage: withholdsResult?.stage,
    steps: ended.steps,
    target: call.target.id,
    v: 1,
  };
}

/** Recorded form of objects that serve many calls. Frozen, so that each is built and serialized once. */
const recordedTargets = new WeakMap<Target, RecordedTarget>();
const recordedCredentials = new WeakMap<Principal, AdmittedEntry['credential']>();
const recordedContexts = new WeakMap<CallContext, AdmittedEntry['context']>();

function memoizeByObject<Key extends object, Value>(cached: WeakMap<Key, Value>, key: Key, create: () => Value): Value {
  let value = cached.get(key);
  if (value === undefined) {
    value = Object.freeze(create());
    cached.set(key, value);
  }
  return value;
}

function recordedCredential(principal: Principal): AdmittedEntry['credential'] {
  return memoizeByObject(recordedCredentials, principal, () => ({
    id: principal.credentialId,
    proof: principal.proof,
  }));
}

function recordedTarget(target: Target): RecordedTarget {
  return target.kind === 'unknown'
    ? { exposedName: truncate(target.exposedName, WIRE_TEXT_LIMIT), id: target.id, ...viaField(target) }
    : memoizeByObject(recordedTargets, target, () => targetFields(target));
}

function targetFields(target: Exclude<Target, { kind: 'unknown' }>): RecordedTarget {
  const { risk } = target;
  if (target.kind === 'server') return { id: target.id, risk };
  return { definitionDigest: target.definitionDigest, id: target.id, risk, ...viaField(target) };
}

function viaField({ exposedName, view }: Exclude<Target, { kind: 'server' }>): Pick<RecordedTarget, 'via'> {
  return view === undefined ? {} : { via: { name: truncate(exposedName, WIRE_TEXT_LIMIT), view } };
}

function recordedContext(context: CallContext): AdmittedEntry['context'] {
  // A context without a trace is shared by all calls of a session; a context with a trace belongs to one call.
  return context.traceparent === undefined
    ? memoizeByObject(recordedContexts, context, () => contextFields(context))
    : contextFields(context);
}

function contextFields({ protocolVersion, traceparent, transport }: CallContext): AdmittedEntry['context'] {
  const version = truncate(protocolVersion, WIRE_TEXT_LIMIT);
  return traceparent === undefined
    ? { protocolVersion: version, transport }
    : { protocolVersion: version, traceparent: truncate(traceparent, WIRE_TEXT_LIMIT), transport };
}

/** Truncates an external text and makes it well-formed, so that it cannot make the entry too large or invalid. */
function truncate(text: string, limit: number): string {
  return text.length <= limit && text.isWellFormed() ? text : text.slice(0, limit).toWellFormed();
}
