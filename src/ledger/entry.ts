import type { Action } from '../domain/call.ts';
import type { ProofKind } from '../domain/principal.ts';
import type { Reason } from '../domain/reasons.ts';
import type { FeatureTarget, Risk, ServerTarget, UnknownTarget, ViewName } from '../domain/target.ts';
import type { ControlName } from '../domain/verdict.ts';
import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json/json.ts';

/** What every entry says. */
export interface CommonFields<Kind extends string> {
  /** Version of the format. */
  readonly v: 1;
  readonly kind: Kind;
  /** Milliseconds since 1970 of the calendar clock when the entry was made. */
  readonly atMs: number;
  /** `agent:…`; `system:broker` or `os-user:<uid>` for acts of the house. */
  readonly principal: string;
  /** Our own session id, `stateless`, or `none` for acts of the house. */
  readonly session: string;
  /** Digest of the policy set in force; null before the first one is. */
  readonly revision: Digest | null;
  /** Digest of registry and lock in force; null before the first one is. */
  readonly registry: Digest | null;
}

/** What one control saw and said: the part that replay decides again. */
export interface RecordedStep {
  readonly control: ControlName;
  readonly effect: 'allow' | 'deny' | 'hold' | 'indeterminate';
  readonly facts: JsonObject;
  readonly reason?: Reason;
  readonly rule?: string;
}

/** The target as it was resolved, or the name that resolved to nothing. Of a template's resource: the template's digest. */
export type RecordedTarget = (
  | { readonly id: FeatureTarget['id']; readonly definitionDigest: Digest; readonly risk: Risk }
  | { readonly id: ServerTarget['id']; readonly risk: Risk }
  | { readonly id: UnknownTarget['id']; readonly exposedName: string }
) & {
  /** Where and under which name it was asked for, where that was a view. */
  readonly via?: { readonly name: string; readonly view: ViewName };
};

/** What the two entries of a decision have in common: enough to decide again. */
export interface DecisionFields {
  readonly callId: string;
  /** Of the question of a tool server: the call that it was at work on. */
  readonly causedBy?: string;
  readonly action: Action;
  /** Salted commitment to the arguments. */
  readonly argsDigest: Digest;
  readonly context: {
    readonly transport: 'http' | 'stdio';
    readonly protocolVersion: string;
    readonly traceparent?: string;
  };
  /** What proved the principal. Never a secret. */
  readonly credential: { readonly id: string; readonly proof: ProofKind };
  readonly steps: readonly RecordedStep[];
  readonly subjects: readonly string[];
  readonly target: RecordedTarget;
}

/** The intent: durable before anything leaves. */
export interface AdmittedEntry extends CommonFields<'call.admitted'>, DecisionFields {}

/** A call that was refused before anything left: its one entry. */
export interface RefusedEntry extends CommonFields<'call.refused'>, DecisionFields {
  /** The control that decided, or `ledger`, or `walk`. */
  readonly stage: string;
  readonly reason: Reason;
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
}

/** How an admitted call ended: durable before the reply. */
export interface ClosedEntry extends CommonFields<'call.closed'> {
  readonly callId: string;
  readonly action: Action;
  /** Id of the target; the rest of it stands in the admitted entry. */
  readonly target: string;
  readonly admittedAtMs: number;
  readonly durationMs: number;
  readonly costNanoUsd: number;
  /** `refused` when the call was made and its result withheld; `input-required` when another call goes on with it, or a second entry follows. */
  readonly outcome: 'completed' | 'failed' | 'refused' | 'input-required';
  readonly inDoubt: boolean;
  /** The result row. */
  readonly steps: readonly RecordedStep[];
  readonly stage?: string | undefined;
  readonly reason?: Reason | undefined;
  readonly rule?: string | undefined;
  readonly message?: string | undefined;
  /** Salted commitment to what came back, also where it was withheld. */
  readonly resultDigest?: Digest | undefined;
  readonly resultBytes?: number | undefined;
}

/** An admitted call that never was closed: the broker ended in its middle, and nobody knows whether the tool acted. */
export interface InDoubtEntry extends CommonFields<'call.in-doubt'> {
  readonly callId: string;
  readonly action: Action;
  readonly target: string;
  readonly admittedAtMs: number;
  readonly reason: 'in-doubt';
}

/** Refusals of one kind, one principal and one second beyond the first, which has an entry of its own. */
export interface SummedEntry extends CommonFields<'call.refusals-summed'> {
  readonly of: 'call.refused' | 'message.refused';
  readonly count: number;
  /** The second that was summed; it ends 1,000 ms later. */
  readonly fromMs: number;
  readonly reason?: Reason;
  readonly rule?: string;
  readonly code?: number;
}

/** A message of a known principal that never became a call. */
export interface MessageRefusedEntry extends CommonFields<'message.refused'> {
  readonly context: {
    readonly transport: 'http' | 'stdio';
    readonly protocolVersion: string;
    readonly traceparent?: string;
  };
  readonly credential: { readonly id: string; readonly proof: ProofKind };
  /** JSON-RPC error code that was answered. */
  readonly code: number;
  readonly problem: string;
}

/** Acts of the house. */
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

/** What is told of each act of the house. Small, without secrets and without personal data. */
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

/** An act of the house or of a person who runs it. */
export interface SystemEntry extends CommonFields<SystemKind> {
  /** `HouseDetails` of the kind. */
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

/** An entry that holds decisions. */
export type DecisionEntry = AdmittedEntry | RefusedEntry | ClosedEntry;
export type EntryKind = Entry['kind'];

/** Every kind of entry. */
export const ENTRY_KINDS: readonly EntryKind[] = [
  ...(['call.admitted', 'call.refused', 'call.closed', 'call.in-doubt', 'call.refusals-summed'] as const),
  'message.refused',
  ...SYSTEM_KINDS,
];
