import type { ClientContext } from '../../domain/mcp/client-context.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import type { Session } from '../session/session.ts';
import type { InputRequestHandler } from './interactive-call.ts';

/** What surrounds one call: the agent's cancellation, and its side of the call where it wants to hear of it. */
export interface CallOptions {
  readonly signal: CancelSignal;
  readonly clientContext?: ClientContext | undefined;
  /** What its server may ask meanwhile; only with a link. */
  readonly inputRequests?: InputRequestHandler | undefined;
}

/** What a slot tells of. */
export interface ManagedSessionEvents {
  onOpened(): void;
  /** What a session offers was listed: at its start, and whenever the server said that they changed. */
  onListed(session: Session): void;
  onListingFailed(message: string): void;
  /** A resource changed that these principals are subscribed to, or may have. */
  onUpdated(uri: string, principalIds: readonly string[]): void;
  onDropped(): void;
  /** A start failed, or a session ended that nobody ended. */
  onFailure(message: string, stderrTail: string): void;
}
