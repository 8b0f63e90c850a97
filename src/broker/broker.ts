import type { CallContext } from '../domain/call.ts';
import type { MirroredArgument } from '../domain/mirrored-arguments.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json.ts';

/** A call as an ingress hands it over: proved, parsed, not yet resolved. */
export interface CallRequest {
  readonly principal: Principal;
  readonly exposedName: string;
  readonly args: JsonObject;
  readonly context: CallContext;
}

/** How a call ended, and the id under which the ledger holds it. */
export interface CallReply {
  readonly callId: string;
  readonly outcome: Outcome;
}

/** What one principal may call, in deterministic order. The same object while nothing changes, so that it can key a cache. */
export interface ToolList {
  /** Each tool's definition as the upstream declared it, under its exposed name. */
  readonly tools: readonly JsonObject[];
}

/** A message that an ingress refused before it became a call, though its principal is known. */
export interface MalformedMessage {
  readonly principal: Principal;
  readonly context: CallContext;
  /** JSON-RPC error code that was answered. */
  readonly code: number;
  /** What was wrong, without any part of the message. */
  readonly problem: string;
}

/** The hall, as the doors see it: the only way from any ingress to any tool. */
export interface Broker {
  listTools(principal: Principal): ToolList;
  /** The arguments that a tool wants repeated in headers; none where there is no such tool, whoever may see it. */
  mirroredArguments(exposedName: string): readonly MirroredArgument[];
  /** Walks one call. Never rejects: whatever happens is an outcome. `signal` is the agent's cancellation. */
  callTool(request: CallRequest, options: { readonly signal: CancelSignal }): Promise<CallReply>;
  /** Records a refused message; resolves when it is recorded or could not be, and never rejects. */
  recordMalformed(message: MalformedMessage): Promise<void>;
  /** Calls `listener` with each principal id whose tool list changed. Returns the way to stop listening. */
  onToolListChanged(listener: (principalId: string) => void): () => void;
}
