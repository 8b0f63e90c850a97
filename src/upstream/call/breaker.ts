import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Clock } from '../../lib/time.ts';
import type { Response } from '../protocol/transport.ts';

/** Of the last ten answers that say anything, so many must speak against the server. */
const WINDOW = 0b11_1111_1111;
const MAX_FAILURES = 5;
/** How long nothing is sent before one call is tried: short, because a server that came back is to be found soon. */
const OPEN_MS = 500;

export const breakerFailureMode: FailureMode<'upstream-unavailable'> = {
  control: 'breaker',
  trigger: 'half or more of the last ten answers of a tool server were failures',
  result: 'upstream-unavailable',
  means: 'nothing is sent but a call now and then that tries whether it is back',
  override: null,
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * What one answer says of its server. A refusal of ours, an agent that went away, a result that is too large or no MCP
 * say nothing of whether the next call will be answered.
 */
export type HealthSignal = 'alive' | 'failing' | 'none';

/**
 * Keeps calls from a server that fails: closed while it answers, open after repeated failures, and half-open while one
 * call tries whether it is back. While closed a call costs one read of a field here.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  /** One bit an answer, the latest lowest; 1 is a failure. */
  #failures = 0;
  #aliveCount = 0;
  #notBeforeMs = 0;

  constructor(clock: Clock, onChange: (state: BreakerState) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Changes with every sign of life, so that a late call can tell whether the server answered anybody meanwhile. */
  get aliveCount(): number {
    return this.#aliveCount;
  }

  /** Asked when not closed. 0 makes the asker the one that tries; else milliseconds until it is worth asking again. */
  acquireTrial(): number {
    const remainingMs = Math.ceil(this.#notBeforeMs - this.#clock.monotonicMs());
    if (this.#state === 'half-open') return OPEN_MS;
    if (remainingMs > 0) return remainingMs;
    this.#change('half-open');
    return 0;
  }

  /** The one that tried is done; where its answer said nothing, the next call tries. */
  endTrial(): void {
    if (this.#state !== 'half-open') return;
    this.#notBeforeMs = this.#clock.monotonicMs();
    this.#change('open');
  }

  record(signal: HealthSignal): void {
    if (signal === 'none') return;
    if (signal === 'alive') {
      this.#aliveCount += 1;
      if (this.#state !== 'closed') this.#close();
      else if (this.#failures !== 0) this.#failures = (this.#failures << 1) & WINDOW;
      return;
    }
    this.#failures = ((this.#failures << 1) | 1) & WINDOW;
    if (this.#state === 'open') return;
    if (this.#state === 'half-open' || bitCount(this.#failures) >= MAX_FAILURES) {
      this.#notBeforeMs = this.#clock.monotonicMs() + OPEN_MS;
      this.#change('open');
    }
  }

  #close(): void {
    this.#failures = 0;
    this.#change('closed');
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#onChange(state);
  }
}

/**
 * Reads an answer as evidence. `silent` says that the server answered nobody while this call waited: a call that is late
 * alone speaks of its tool. The end of a process is none: it is started anew, at intervals that `BackOff` sets.
 */
export function healthSignalOf(response: Response, isSilent: boolean): HealthSignal {
  if (response.kind !== 'failed') {
    return response.kind === 'error' && (response.status ?? 200) >= 500 ? 'failing' : 'alive';
  }
  switch (response.failure) {
    case 'timeout':
      return isSilent ? 'failing' : 'none';
    case 'unavailable':
      return 'failing';
    case 'lost':
    case 'refused':
      return response.status === undefined || response.status >= 500 ? 'failing' : 'none';
    default:
      return 'none';
  }
}

function bitCount(value: number): number {
  let bits = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}
