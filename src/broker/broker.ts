import type { CallContext, Operation, Resumption } from '../domain/call.ts';
import type { CallOptions } from '../domain/mcp/call-options.ts';
import type { ParamHeader } from '../domain/mcp/param-headers.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { FeatureKind, ViewName } from '../domain/target.ts';
import type { JsonObject, JsonValue } from '../lib/json/json.ts';

/** A call as an ingress hands it over: proved, parsed, not yet resolved. */
export interface CallRequest {
  readonly principal: Principal;
  readonly operation: Operation;
  /** The name, URI or URI template that was asked for. */
  readonly exposedName: string;
  readonly args: JsonObject;
  readonly context: CallContext;
  /** Where it was asked. Default: the whole. */
  readonly view?: ViewName | undefined;
  /** Where the call goes on after a question. */
  readonly resumption?: Resumption | undefined;
}

/** How a call ended, and the id under which the ledger holds it. */
export interface CallReply {
  readonly callId: string;
  readonly outcome: Outcome;
  /** The `outputSchema` that the tool's own definition declares; undefined where it declares none, and for all else. */
  readonly declaredOutput?: JsonValue | undefined;
}

/** What surrounds a subscription. */
export interface SubscribeOptions extends CallOptions {
  /** Told after each change what changed, the resource or a sub-resource of it, as long as the principal may hear of that. MUST NOT throw. */
  readonly onUpdated: (exposedName: string) => void;
}

/** How subscribing ended; where it completed, `end` takes it back. */
export interface SubscribeReply extends CallReply {
  readonly end?: () => void;
}

/**
 * What of one kind one principal may use, in deterministic order. The same object while nothing changes, so that it can
 * key a cache.
 */
export interface FeatureList {
  /** Each definition as the upstream declared it, under its exposed name. */
  readonly definitions: readonly JsonObject[];
}

/** What a principal can be told that there is. */
export interface ServerCapabilities {
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly completions: boolean;
  /** True where there is a resource of which it may be told when it changes. */
  readonly subscriptions: boolean;
}

/** Told whose list of what kind changed, and in which view; undefined is the whole. */
export type ListListener = (principalId: string, kind: FeatureKind, view: ViewName | undefined) => void;

/** A message that an ingress refused before it became a call, though its principal is known. */
export interface MalformedMessage {
  readonly principal: Principal;
  readonly context: CallContext;
  /** JSON-RPC error code that was answered. */
  readonly code: number;
  /** What was wrong, without any part of the message. */
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
