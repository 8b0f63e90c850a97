import type { BreakerState } from './breaker.ts';
import type { SessionSlot } from './session-slot.ts';
import type { UpstreamStatus } from './upstream-server.ts';

/** How a server is doing, by its sessions; undefined where there is none, nor any on its way. */
export function stateOfSlots(slots: readonly SessionSlot[]): UpstreamStatus['state'] | undefined {
  if (slots.some((slot) => slot.session !== undefined)) return 'ready';
  if (slots.some((slot) => slot.isStarting)) return 'starting';
  return slots.some((slot) => slot.isBackingOff) ? 'backing-off' : undefined;
}

/** The worst of all breakers. */
export function worstState(states: readonly BreakerState[]): BreakerState {
  return states.find((state) => state === 'open') ?? states.find((state) => state === 'half-open') ?? 'closed';
}
