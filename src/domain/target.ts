import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json.ts';

/** How much harm a tool can do. Set by the operator; an upstream's hints never lower it. */
export type Risk = 'read' | 'write' | 'destructive';

/** What is kept of arguments and results: the bytes apart from the entry, or their salted digest alone. */
export type PayloadRetention = 'keep' | 'digest';

/** A tool that exists, is pinned and admitted: the resolved thing a call goes to. */
export interface ToolTarget {
  readonly kind: 'tool';
  /** `tool:<server>/<tool>`: what policy speaks of. */
  readonly id: `tool:${string}/${string}`;
  readonly server: string;
  readonly tool: string;
  /** `<server>__<tool>`: what agents see. */
  readonly exposedName: string;
  readonly risk: Risk;
  readonly labels: readonly string[];
  readonly costNanoUsd: number;
  readonly timeoutMs: number;
  readonly maxResultBytes: number;
  readonly payloads: PayloadRetention;
  /** Largest payload in bytes that is kept; of a larger one the digest alone. Default: 262,144. */
  readonly payloadMaxBytes?: number;
  /** Digest of the definition in force: name, title, description, schemas, annotations. */
  readonly definitionDigest: Digest;
  /** The definition as the upstream declared it, verbatim, under its upstream name. */
  readonly definition: JsonObject;
  /** The definition as agents see it, where that is another: no header is asked for an argument that is secret. */
  readonly shown?: JsonObject;
  readonly inputSchema: JsonObject;
  /** The tool's own `outputSchema`, or the registry's contract where it declares none. */
  readonly outputSchema?: JsonObject;
}

/** A name that resolves to nothing. It walks the same rooms, so that it costs and answers the same as a hidden tool. */
export interface UnknownTarget {
  readonly kind: 'unknown';
  readonly id: 'tool:unknown';
  /** What was asked for, at most 128 characters, control characters replaced. */
  readonly exposedName: string;
}

export type Target = ToolTarget | UnknownTarget;
