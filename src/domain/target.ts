import type { Digest } from '../lib/digest.ts';
import type { JsonObject } from '../lib/json/json.ts';

/** Harm that a tool can do. The operator sets it; hints of the server never lower it. */
export type Risk = 'read' | 'write' | 'destructive';

/** Retention of arguments and results: their bytes, apart from the entry, or only their salted digest. */
export type PayloadRetention = 'keep' | 'digest';

/** Members of every resolved feature. */
interface Feature {
  readonly server: string;
  /** Name, URI or URI template that agents use. */
  readonly exposedName: string;
  /** View in which it has that name. Default: all servers. */
  readonly view?: ViewName;
  readonly risk: Risk;
  readonly labels: readonly string[];
  readonly costNanoUsd: number;
  readonly timeoutMs: number;
  readonly maxResultBytes: number;
  readonly payloads: PayloadRetention;
  /** Largest payload in bytes that is kept. A larger one leaves only its digest. Default: 262,144. */
  readonly payloadMaxBytes?: number;
  /** Digest of the whole definition in force. */
  readonly definitionDigest: Digest;
  /** Definition as the server declared it, verbatim, under its upstream name. */
  readonly definition: JsonObject;
}

/** Members of a feature that a view may override. */
interface Overridable {
  /** Whole definition that the view shows instead. Pins and drift are about `definition`. Default: no override. */
  readonly override?: JsonObject;
}

/** Resolved tool: it exists and is pinned. */
export interface ToolTarget extends Feature, Overridable {
  readonly kind: 'tool';
  /** `tool:<server>/<tool>`, as policy names it. Its exposed name is `<server>__<tool>`. */
  readonly id: `tool:${string}/${string}`;
  readonly tool: string;
  /** Definition that agents see instead, without headers for secret arguments. Default: `definition`. */
  readonly advertised?: JsonObject;
  /** Arguments that the view adds to every call. Agents do not see them and cannot change them. Default: none. */
  readonly fixedArguments?: JsonObject;
  readonly inputSchema: JsonObject;
  /** `outputSchema` of the tool, or the contract of the registry if it declares none. Default: no schema. */
  readonly outputSchema?: JsonObject;
}

/** Resolved prompt: it exists and is pinned. */
export interface PromptTarget extends Feature, Overridable {
  readonly kind: 'prompt';
  /** `prompt:<server>/<prompt>`. Its exposed name is `<server>__<prompt>`. */
  readonly id: `prompt:${string}/${string}`;
  readonly prompt: string;
  /** Schema of its declared arguments: strings, and the required ones must be present. */
  readonly inputSchema: JsonObject;
}

/** Resolved resource: its server lists it, or it matches a pinned template of its server. */
export interface ResourceTarget extends Feature {
  readonly kind: 'resource';
  /** `resource:<server>/<uri>`. The URI is in normal form, and is sent in that form. */
  readonly id: `resource:${string}/${string}`;
  readonly uri: string;
}

/** Resolved resource template: it exists and is pinned. It is listed and completed, never read. */
export interface TemplateTarget extends Feature {
  readonly kind: 'template';
  /** `resource:<server>/<uriTemplate>`. */
  readonly id: `resource:${string}/${string}`;
  readonly uriTemplate: string;
  /** Returns false for a URI that matches the template and is hidden by the view. Default: nothing is hidden. */
  readonly accepts?: (uri: string) => boolean;
}

/** Resolved feature of a tool server. */
export type FeatureTarget = ToolTarget | PromptTarget | ResourceTarget | TemplateTarget;

/** Kinds of features; each has its own list. */
export const FEATURE_KINDS = ['tool', 'prompt', 'resource', 'template'] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** Tool server as the target of its own input requests. It is never listed and never called. */
export interface ServerTarget
  extends Pick<Feature, 'server' | 'risk' | 'labels' | 'costNanoUsd' | 'payloads' | 'payloadMaxBytes'> {
  readonly kind: 'server';
  /** `server:<name>`, with the name from the registry. */
  readonly id: `server:${string}`;
}

/** Name that resolves to nothing. It passes the same controls, so that it costs and answers the same as a hidden target. */
export interface UnknownTarget {
  readonly kind: 'unknown';
  readonly id: 'tool:unknown' | 'prompt:unknown' | 'resource:unknown';
  /** Requested name, at most 128 characters, with control characters replaced. */
  readonly exposedName: string;
  /** View of the request. Default: all servers. */
  readonly view?: ViewName;
}

export type Target = FeatureTarget | ServerTarget | UnknownTarget;

/** Returns the name or URI that the server of a feature uses. */
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

/** Name of a view: one server, or a virtual server of `registry/virtual/`. */
export type ViewName = `server:${string}` | `virtual:${string}`;
