import type { Era } from '../domain/mcp/era.ts';
import type { BreakerState } from './call/breaker.ts';
import type { ManagedSession } from './managed-session.ts';

/** Status of one server. */
export interface UpstreamStatus {
  readonly name: string;
  readonly state: 'idle' | 'starting' | 'ready' | 'backing-off' | 'failed';
  readonly era?: Era;
  readonly protocolVersion?: string;
  /** Calendar time in milliseconds at which the state began. */
  readonly sinceMs: number;
  /** Last error. Default: the server has worked since. */
  readonly error?: string;
  /** Calendar time in milliseconds of the first error since the server last worked. */
  readonly failingSinceMs?: number;
  /** Failed starts, and sessions that ended by themselves, since the server was put into service. */
  readonly failures: number;
  /** Opened sessions since the server was put into service. */
  readonly starts: number;
  readonly sessions: number;
  readonly activeCalls: number;
  /** `open`: it failed repeatedly and nothing is sent to it; `half-open`: one trial call is in flight. */
  readonly breaker: BreakerState;
  /** Responses without a request, notifications without a call or beyond the limit, and messages that are not MCP. */
  readonly droppedMessages: number;
}

/** Returns the state of a server by its sessions; undefined if none is open, starting or backing off. */
export function stateOfSessions(sessions: readonly ManagedSession[]): UpstreamStatus['state'] | undefined {
  if (sessions.some((session) => session.session !== undefined)) return 'ready';
  if (sessions.some((session) => session.isStarting)) return 'starting';
  return sessions.some((session) => session.isBackingOff) ? 'backing-off' : undefined;
}

/** Returns the worst state of several breakers. */
export function worstBreakerState(states: readonly BreakerState[]): BreakerState {
  return states.find((state) => state === 'open') ?? states.find((state) => state === 'half-open') ?? 'closed';
}
