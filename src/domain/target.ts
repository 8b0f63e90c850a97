import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json/json.ts';

/** How much harm a tool can do. Set by the operator; an upstream's hints never lower it. */
export type Risk = 'read' | 'write' | 'destructive';

/** What is kept of arguments and results: the bytes apart from the entry, or their salted digest alone. */
export type PayloadRetention = 'keep' | 'digest';

/** What every thing that a tool server offers has, once it is resolved. */
interface Feature {
  readonly server: string;
  /** The name, URI or URI template under which agents see it. */
  readonly exposedName: string;
  /** The view in which it bears that name. Default: the whole. */
  readonly view?: ViewName;
  readonly risk: Risk;
  readonly labels: readonly string[];
  readonly costNanoUsd: number;
  readonly timeoutMs: number;
  readonly maxResultBytes: number;
  readonly payloads: PayloadRetention;
  /** Largest payload in bytes that is kept; of a larger one the digest alone. Default: 262,144. */
  readonly payloadMaxBytes?: number;
  /** Digest of the definition in force, all of it. */
  readonly definitionDigest: Digest;
  /** The definition as the upstream declared it, verbatim, under its upstream name. */
  readonly definition: JsonObject;
}

/** What a view may show otherwise. */
interface Overridable {
  /** The whole definition as a view shows it, where it shows another. Pins and drift are of the original. */
  readonly override?: JsonObject;
}

/** A tool that exists, is pinned and admitted: the resolved thing a call goes to. */
export interface ToolTarget extends Feature, Overridable {
  readonly kind: 'tool';
  /** `tool:<server>/<tool>`: what policy speaks of. Its exposed name is `<server>__<tool>`. */
  readonly id: `tool:${string}/${string}`;
  readonly tool: string;
  /** The definition as agents see it, where that is another: no header is asked for an argument that is secret. */
  readonly advertised?: JsonObject;
  /** Arguments that every call gets in this view; agents neither see them nor may give them. */
  readonly fixedArguments?: JsonObject;
  readonly inputSchema: JsonObject;
  /** The tool's own `outputSchema`, or the registry's contract where it declares none. */
  readonly outputSchema?: JsonObject;
}

/** A prompt that exists and is pinned. */
export interface PromptTarget extends Feature, Overridable {
  readonly kind: 'prompt';
  /** `prompt:<server>/<prompt>`. Its exposed name is `<server>__<prompt>`. */
  readonly id: `prompt:${string}/${string}`;
  readonly prompt: string;
  /** What its declared arguments come to as a schema: texts, the required ones present. */
  readonly inputSchema: JsonObject;
}

/** A resource: one that its server lists, or one that a pinned template of its server makes. */
export interface ResourceTarget extends Feature {
  readonly kind: 'resource';
  /** `resource:<server>/<uri>`, the URI in its normal form: decided on as it is sent. */
  readonly id: `resource:${string}/${string}`;
  readonly uri: string;
}

/** A resource template that exists and is pinned. It is listed and completed, never read itself. */
export interface TemplateTarget extends Feature {
  readonly kind: 'template';
  /** `resource:<server>/<uriTemplate>`. */
  readonly id: `resource:${string}/${string}`;
  readonly uriTemplate: string;
  /** False for what it can become and a view does not show. Default: a template may become all that it can. */
  readonly accepts?: (uri: string) => boolean;
}

/** A thing of a tool server that exists and may be asked for. */
export type FeatureTarget = ToolTarget | PromptTarget | ResourceTarget | TemplateTarget;

/** The kinds of things that tool servers offer, each with a list of its own. */
export const FEATURE_KINDS = ['tool', 'prompt', 'resource', 'template'] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** A tool server itself, as the object of what it asks of agents. It is never listed and never called. */
export interface ServerTarget
  extends Pick<Feature, 'server' | 'risk' | 'labels' | 'costNanoUsd' | 'payloads' | 'payloadMaxBytes'> {
  readonly kind: 'server';
  /** `server:<name>`, the name that the registry gives it. */
  readonly id: `server:${string}`;
}

/** A name that resolves to nothing. It walks the same rooms, so that it costs and answers the same as a hidden thing. */
export interface UnknownTarget {
  readonly kind: 'unknown';
  readonly id: 'tool:unknown' | 'prompt:unknown' | 'resource:unknown';
  /** What was asked for, at most 128 characters, control characters replaced. */
  readonly exposedName: string;
  /** The view in which it was asked for. Default: the whole. */
  readonly view?: ViewName;
}

export type Target = FeatureTarget | ServerTarget | UnknownTarget;

/** What each kind is called by the server that offers it. */
export function upstreamName(target: FeatureTarget): string {
  switch (target.kind) {
    case 'tool':
      return target.tool;
    case 'prompt':
      return target.prompt;
    case 'resource':
      return target.uri;
    case 'template':
      return target.uriTemplate;
  }
}

/** A part of what there is: one server as it is, or what a file of `registry/virtual/` makes of several. */
export type ViewName = `server:${string}` | `virtual:${string}`;
