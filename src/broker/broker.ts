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

/** The hall, as the doors see it: the only way from any ingress to any tool server. */
export interface Broker {
  /** True when there is such a view and the principal may use something of it: all others answer as if there were none. */
  isViewVisible(principal: Principal, view: ViewName): boolean;
  /** What is listed in a view. Default: in the whole. */
  list(principal: Principal, kind: FeatureKind, view?: ViewName): FeatureList;
  /** Which surfaces beside tools there are for a principal, or may be: a server that was not listed may offer any. */
  capabilitiesOf(principal: Principal, view?: ViewName): ServerCapabilities;
  /** The arguments that a tool wants repeated in headers; none where there is no such tool, whoever may see it. */
  paramHeaders(exposedName: string, view?: ViewName): readonly ParamHeader[];
  /** Walks one call. Never rejects: whatever happens is an outcome. */
  call(request: CallRequest, options: CallOptions): Promise<CallReply>;
  /** The roots of a legacy client changed, in the session that its requests come in. */
  rootsChanged(principal: Principal, context: CallContext): void;
  /** Walks a subscription to a resource like any call, and keeps it until it is ended or allowed no more. Never rejects. */
  subscribe(request: Omit<CallRequest, 'operation' | 'args'>, options: SubscribeOptions): Promise<SubscribeReply>;
  /** Records a refused message; resolves when it is recorded or could not be, and never rejects. */
  recordMalformed(message: MalformedMessage): Promise<void>;
  /** Calls `listener` with each principal id whose list changed, and which. Returns the way to stop listening. */
  onListChanged(listener: ListListener): () => void;
}
