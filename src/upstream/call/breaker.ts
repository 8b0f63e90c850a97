import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Clock } from '../../lib/time.ts';
import type { Response } from '../protocol/transport.ts';

/** The last ten responses that are evidence, and the number of failures among them that opens the breaker. */
const WINDOW = 0b11_1111_1111;
const MAX_FAILURES = 5;
/** Time without calls before one trial call. Short, so that a recovered server is noticed soon. */
const OPEN_MS = 500;

export const breakerFailureMode: FailureMode<'upstream-unavailable'> = {
  control: 'breaker',
  trigger: 'half or more of the last ten responses of a tool server were failures',
  result: 'upstream-unavailable',
  means: 'nothing is sent, apart from a trial call now and then',
  override: null,
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Evidence that one response gives about its server. A refused credential, a cancelled call, a result that is too large
 * and a message that is not MCP are no evidence.
 */
export type HealthSignal = 'alive' | 'failing' | 'none';

/**
 * Circuit breaker of a server: closed while it answers, open after repeated failures, half-open during a trial call.
 * While it is closed a call costs one read of a field.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  /** One bit for each response, the latest lowest; 1 is a failure. */
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

  /** Number of responses that prove the server alive, so that a late call can tell whether the server answered any other meanwhile. */
  get aliveCount(): number {
    return this.#aliveCount;
  }

  /** Requests the trial while the breaker is not closed. @returns 0 if the caller is the trial, else the milliseconds to wait. */
  acquireTrial(): number {
    const remainingMs = Math.ceil(this.#notBeforeMs - this.#clock.monotonicMs());
    if (this.#state === 'half-open') return OPEN_MS;
    if (remainingMs > 0) return remainingMs;
    this.#change('half-open');
    return 0;
  }

  /** Ends the trial. If its response was no evidence, the next call is the trial. */
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
 * Reads a response as evidence. `isSilent`: the server answered no other call meanwhile. A timeout is evidence only then,
 * because otherwise only the tool is slow.
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
