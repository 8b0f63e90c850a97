import type { CallContext, Operation, Resumption } from '../domain/call.ts';
import type { CallOptions } from '../domain/mcp/call-options.ts';
import type { ParamHeader } from '../domain/mcp/param-headers.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { FeatureKind, ViewName } from '../domain/target.ts';
import type { JsonObject, JsonValue } from '../lib/json/json.ts';

/** Call as an ingress passes it: authenticated and parsed, its name not resolved yet. */
export interface CallRequest {
  readonly principal: Principal;
  readonly operation: Operation;
  /** Requested name, URI or URI template. */
  readonly exposedName: string;
  readonly args: JsonObject;
  readonly context: CallContext;
  /** View of the endpoint. Default: all servers. */
  readonly view?: ViewName | undefined;
  /** Set if the call is a retry of a suspended call. */
  readonly resumption?: Resumption | undefined;
}

/** Outcome of a call, and its id in the ledger. */
export interface CallReply {
  readonly callId: string;
  readonly outcome: Outcome;
  /** `outputSchema` of the tool's own definition; undefined if it declares none, or the target is not a tool. */
  readonly declaredOutput?: JsonValue | undefined;
}

/** Options of a subscription. */
export interface SubscribeOptions extends CallOptions {
  /** Called after each change with the name of the resource, or of a sub-resource, as long as the principal may subscribe. MUST NOT throw. */
  readonly onUpdated: (exposedName: string) => void;
}

/** Outcome of a subscription. `end` unsubscribes; it is set if the outcome is `completed`. */
export interface SubscribeReply extends CallReply {
  readonly end?: () => void;
}

/** Features of one kind that a principal may use, in deterministic order. The same object while nothing changes, so that it can key a cache. */
export interface FeatureList {
  /** Definitions as the servers declared them, under their exposed names. */
  readonly definitions: readonly JsonObject[];
}

/** Server capabilities of one principal. */
export interface ServerCapabilities {
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly completions: boolean;
  /** True if the principal may subscribe to a resource. */
  readonly subscriptions: boolean;
}

/** Called when a principal's feature list changes; `view` is undefined for all servers. */
export type ListListener = (principalId: string, kind: FeatureKind, view: ViewName | undefined) => void;

/** Message of a known principal that an ingress refused before it became a call. */
export interface MalformedMessage {
  readonly principal: Principal;
  readonly context: CallContext;
  /** JSON-RPC error code of the reply. */
  readonly code: number;
  /** Problem in one clause, without any part of the message. */
  readonly problem: string;
}

/** Features that principals see, by the snapshot in force. Default of each `view`: all servers. */
export interface FeatureLists {
  /** True if the view exists and the principal may use something in it. All other views answer as if they did not exist. */
  isViewVisible(principal: Principal, view: ViewName): boolean;
  list(principal: Principal, kind: FeatureKind, view?: ViewName): FeatureList;
  /** Returns the server capabilities that a principal has, or may have: a server that is not listed yet may offer any. */
  capabilitiesOf(principal: Principal, view?: ViewName): ServerCapabilities;
  /** Returns the arguments that a tool repeats in headers; empty if the tool does not exist. Visibility is not checked. */
  paramHeaders(exposedName: string, view?: ViewName): readonly ParamHeader[];
}

/** The broker interface used by every ingress: the only way to a tool server. */
export interface Broker {
  readonly visibleLists: FeatureLists;
  /** Runs one call. Never rejects: whatever happens is an outcome. */
  call(request: CallRequest, options: CallOptions): Promise<CallReply>;
  /** Reports that the roots of a legacy client changed, in the session of its requests. */
  rootsChanged(principal: Principal, context: CallContext): void;
  /** Runs a subscription to a resource like a call, and keeps it until it is ended or no longer allowed. Never rejects. */
  subscribe(request: Omit<CallRequest, 'operation' | 'args'>, options: SubscribeOptions): Promise<SubscribeReply>;
  /** Records a message that was refused before it became a call. Never rejects. */
  recordMalformed(message: MalformedMessage): Promise<void>;
  /** Calls `listener` with each principal id whose list changed, and with the list. @returns a function that unsubscribes. */
  onListChanged(listener: ListListener): () => void;
}
