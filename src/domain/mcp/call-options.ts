import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { ClientContext } from './client-context.ts';
import type { SendInputRequest, UrlElicitationListener } from './input-request.ts';

/** Options of a call, from the ingress. */
export interface CallOptions {
  /** Aborted when the agent cancels the call. */
  readonly signal: CancelSignal;
  /** Receives progress and logs of the call. Default: they are dropped, and the server can request no input. */
  readonly clientContext?: ClientContext | undefined;
}

/** Handles the input requests of a tool server while it works on one call. */
export interface InputRequestHandler {
  /** Client capabilities that the server receives. */
  readonly capabilities: JsonObject;
  readonly send: SendInputRequest;
  /** Milliseconds that a URL elicitation may go on after the user accepted it. */
  readonly expiryMs: number;
  /** Notifies the agent that a URL elicitation is complete. Default: its era has no such notification. */
  readonly urlCompletion?: UrlElicitationListener | undefined;
  /** Ends the call if it is waiting for its agent, so that another call gets its session. @returns false if it is not waiting. */
  preempt(): boolean;
}

/** Options of a call on its way to a tool server. */
export interface DispatchOptions extends CallOptions {
  /** Default: the server can request no input. Given only with a `clientContext`. */
  readonly inputRequests?: InputRequestHandler | undefined;
}
