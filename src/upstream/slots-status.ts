import type { BreakerState } from './breaker.ts';
import type { ManagedSession } from './session-slot.ts';
import type { UpstreamStatus } from './upstream-server.ts';

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
