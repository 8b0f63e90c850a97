import type { Era } from '../domain/mcp/era.ts';
import type { BreakerState } from './call/breaker.ts';
import type { ManagedSession } from './managed-session.ts';

/** How one server is doing. */
export interface UpstreamStatus {
  readonly name: string;
  readonly state: 'idle' | 'starting' | 'ready' | 'backing-off' | 'failed';
  readonly era?: Era;
  readonly protocolVersion?: string;
  /** Calendar time in milliseconds since which the state holds. */
  readonly sinceMs: number;
  /** What went wrong last, where nothing went well since. */
  readonly error?: string;
  /** Calendar time in milliseconds since when nothing went well. */
  readonly failingSinceMs?: number;
  /** Starts that failed and sessions that ended unasked, since the server was put into service. */
  readonly failures: number;
  /** Sessions that were opened, since the server was put into service. */
  readonly starts: number;
  readonly sessions: number;
  readonly activeCalls: number;
  /** `open`: it failed repeatedly and nothing is sent to it; `half-open`: one call tries whether it is back. */
  readonly breaker: BreakerState;
  /** Replies that nobody waited for, notifications that belong to no call or are too many, and what is not MCP. */
  readonly droppedMessages: number;
}

/** How a server is doing, by its sessions; undefined where there is none, nor any on its way. */
export function stateOfSessions(sessions: readonly ManagedSession[]): UpstreamStatus['state'] | undefined {
  if (sessions.some((session) => session.session !== undefined)) return 'ready';
  if (sessions.some((session) => session.isStarting)) return 'starting';
  return sessions.some((session) => session.isBackingOff) ? 'backing-off' : undefined;
}

/** The worst of all breakers. */
export function worstBreakerState(states: readonly BreakerState[]): BreakerState {
  return states.find((state) => state === 'open') ?? states.find((state) => state === 'half-open') ?? 'closed';
}
