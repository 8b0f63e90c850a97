import type { Action } from '../domain/call.ts';
import type { ProofKind } from '../domain/principal.ts';
import type { Reason } from '../domain/reasons.ts';
import type { FeatureTarget, Risk, ServerTarget, UnknownTarget, ViewName } from '../domain/target.ts';
import type { ControlName } from '../domain/verdict.ts';
import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json/json.ts';

/** Fields of every entry. */
export interface CommonFields<Kind extends string> {
  /** Version of the format. */
  readonly v: 1;
  readonly kind: Kind;
  /** Time of the entry by the calendar clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** `agent:…`; `system:broker` or `os-user:<uid>` for system events. */
  readonly principal: string;
  /** Our own session id, `stateless`, or `none` for system events. */
  readonly session: string;
  /** Digest of the policy set in force; null before the first one is. */
  readonly revision: Digest | null;
  /** Digest of registry and lock in force; null before the first one is. */
  readonly registry: Digest | null;
}

/** Facts and verdict of one control. Replay decides it again. */
export interface RecordedStep {
  readonly control: ControlName;
  readonly effect: 'allow' | 'deny' | 'hold' | 'indeterminate';
  readonly facts: JsonObject;
  readonly reason?: Reason;
  readonly rule?: string;
}

/** The resolved target, or the name that did not resolve. For a resource of a template, the digest of the template. */
export type RecordedTarget = (
  | { readonly id: FeatureTarget['id']; readonly definitionDigest: Digest; readonly risk: Risk }
  | { readonly id: ServerTarget['id']; readonly risk: Risk }
  | { readonly id: UnknownTarget['id']; readonly exposedName: string }
) & {
  /** The view and the name in that view, if the request came through a view. */
  readonly via?: { readonly name: string; readonly view: ViewName };
};

/** Fields of an intent and of a refusal, sufficient to decide again. */
export interface DecisionFields {
  readonly callId: string;
  /** For an input request of a tool server: the call that caused it. */
  readonly causedBy?: string;
  readonly action: Action;
  /** Salted commitment to the arguments. */
  readonly argsDigest: Digest;
  readonly context: {
    readonly transport: 'http' | 'stdio';
    readonly protocolVersion: string;
    readonly traceparent?: string;
  };
  /** Credential of the principal. Never a secret. */
  readonly credential: { readonly id: string; readonly proof: ProofKind };
  readonly steps: readonly RecordedStep[];
  readonly subjects: readonly string[];
  readonly target: RecordedTarget;
}

/** The intent of a call: durable before dispatch. */
export interface AdmittedEntry extends CommonFields<'call.admitted'>, DecisionFields {}

/** A call that was refused before dispatch: its only entry. */
export interface RefusedEntry extends CommonFields<'call.refused'>, DecisionFields {
  /** The control that refused; `ledger` if the intent could not be written; `walk` if the pipeline failed. */
  readonly stage: string;
  readonly reason: Reason;
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
}

/** Outcome of an admitted call: durable before the reply. */
export interface ClosedEntry extends CommonFields<'call.closed'> {
  readonly callId: string;
  readonly action: Action;
  /** Id of the target; `call.admitted` has the other fields. */
  readonly target: string;
  readonly admittedAtMs: number;
  readonly durationMs: number;
  readonly costNanoUsd: number;
  /** `refused` if the result was withheld; `input-required` if another round or a second outcome follows. */
  readonly outcome: 'completed' | 'failed' | 'refused' | 'input-required';
  readonly inDoubt: boolean;
  /** Steps of the response controls. */
  readonly steps: readonly RecordedStep[];
  readonly stage?: string | undefined;
  readonly reason?: Reason | undefined;
  readonly rule?: string | undefined;
  readonly message?: string | undefined;
  /** Salted commitment to the result, also if it was withheld. */
  readonly resultDigest?: Digest | undefined;
  readonly resultBytes?: number | undefined;
}

/** An admitted call without an outcome: the broker stopped during the call, and the tool may have taken effect. */
export interface InDoubtEntry extends CommonFields<'call.in-doubt'> {
  readonly callId: string;
  readonly action: Action;
  readonly target: string;
  readonly admittedAtMs: number;
  readonly reason: 'in-doubt';
}

/** Aggregated refusals of one kind, one principal and one second, without the first, which has its own entry. */
export interface SummedEntry extends CommonFields<'call.refusals-summed'> {
  readonly of: 'call.refused' | 'message.refused';
  readonly count: number;
  /** Start of the aggregated second; it ends 1,000 ms later. */
  readonly fromMs: number;
  readonly reason?: Reason;
  readonly rule?: string;
  readonly code?: number;
}

/** A message of a known principal that did not become a call. */
export interface MessageRefusedEntry extends CommonFields<'message.refused'> {
  readonly context: {
    readonly transport: 'http' | 'stdio';
    readonly protocolVersion: string;
    readonly traceparent?: string;
  };
  readonly credential: { readonly id: string; readonly proof: ProofKind };
  /** JSON-RPC error code of the response. */
  readonly code: number;
  readonly problem: string;
}

/** Kinds of system events. */
export const SYSTEM_KINDS = [
  'key.created',
  'key.revoked',
  'policy.applied',
  'policy.rejected',
  'registry.applied',
  'registry.rejected',
  'server.added',
  'tool.drifted',
  'tool.pinned',
  'tool.quarantined',
  'limit.warned',
  'clock.jumped',
  'broker.started',
  'broker.stopped',
] as const;
export type SystemKind = (typeof SYSTEM_KINDS)[number];

/** Details of each system event. Small, without secrets and without personal data. */
export interface SystemDetails {
  readonly 'key.created': { readonly id: string; readonly agent: string; readonly expiresAtMs?: number };
  readonly 'key.revoked': { readonly id: string; readonly agent: string };
  readonly 'policy.applied': { readonly from: Digest; readonly to: Digest };
  readonly 'policy.rejected': { readonly problems: readonly RejectedLocation[] };
  readonly 'registry.applied': { readonly from: Digest; readonly to: Digest };
  readonly 'registry.rejected': { readonly problems: readonly RejectedLocation[] };
  readonly 'server.added': { readonly server: string; readonly tools: number };
  readonly 'tool.drifted': ToolAlert;
  readonly 'tool.pinned': { readonly tool: string; readonly from?: Digest; readonly to?: Digest };
  readonly 'tool.quarantined': ToolAlert | UnpinnedServer;
  readonly 'limit.warned': {
    readonly rule: string;
    readonly subject: string;
    readonly window: string;
    readonly usedCalls: number;
    readonly usedNanoUsd: number;
    readonly sharePercent: number;
  };
  readonly 'clock.jumped': { readonly offsetMs: number };
  readonly 'broker.started': { readonly version: string; readonly pid: number };
  readonly 'broker.stopped': { readonly why: string };
}

type RejectedLocation = { readonly code: string; readonly at: string };

type ToolAlert = {
  readonly tool: string;
  readonly status: string;
  readonly reason: string;
  readonly agreedDigest?: Digest;
  readonly observedDigest?: Digest;
};

type UnpinnedServer = {
  readonly server: string;
  readonly status: string;
  readonly count: number;
  readonly tools: readonly string[];
};

/** A system event, caused by the broker or by its administrator. */
export interface SystemEntry extends CommonFields<SystemKind> {
  /** `SystemDetails` of the kind. */
  readonly detail: JsonObject;
}

export type Entry =
  | AdmittedEntry
  | RefusedEntry
  | ClosedEntry
  | InDoubtEntry
  | SummedEntry
  | MessageRefusedEntry
  | SystemEntry;

/** An entry with decisions. */
export type DecisionEntry = AdmittedEntry | RefusedEntry | ClosedEntry;
export type EntryKind = Entry['kind'];

/** Every kind of entry. */
export const ENTRY_KINDS: readonly EntryKind[] = [
  ...(['call.admitted', 'call.refused', 'call.closed', 'call.in-doubt', 'call.refusals-summed'] as const),
  'message.refused',
  ...SYSTEM_KINDS,
];
