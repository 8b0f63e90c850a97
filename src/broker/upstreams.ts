import type { Call } from '../domain/call.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { ResourceTarget } from '../domain/target.ts';

/** Port to the tool servers. */
export interface Upstreams {
  /** Sends a call. MUST NOT reject because of what a server does; a rejection is a defect and leaves the call in doubt. */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  /** Notifies servers that received the roots of this client that they changed. */
  rootsChanged(principalId: string, session: string): void;
  unsubscribe(principalId: string, target: ResourceTarget): void;
}
