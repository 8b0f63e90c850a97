import type { Clock } from '../../lib/time.ts';
import { windowEndMs, windowStartMs } from '../calendar-window.ts';
import type { BudgetRule, Counter } from '../limit-rules.ts';
import type { BudgetStore } from './store.ts';

/** Default number of budgets; each is one rule for one subject. */
const DEFAULT_CAPACITY = 65_536;

/** The amounts used of one budget in its current window. */
export interface BudgetUsage {
  readonly windowStartMs: number;
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
}

/** A budget for display. The amounts used include those that are only reserved. */
export interface BudgetLevel extends BudgetUsage {
  readonly windowEndMs: number;
  readonly reservedCalls: number;
  readonly reservedNanoUsd: number;
  /** True when the warning of this window was given. */
  readonly isWarned: boolean;
}

/** A charge crossed the soft share of a budget. Reported once per window, also over restarts. */
export interface SoftLimitWarning {
  /** `limits.yaml:<line>`. */
  readonly rule: string;
  readonly key: string;
  readonly subject: string;
  readonly window: BudgetRule['window'];
  readonly windowStartMs: number;
  /** Charged, without reservations. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
  readonly sharePercent: number;
}

/** The amounts used of all budgets, kept over reloads of the rules. */
export interface BudgetState {
  /** Budget time in milliseconds since 1970, see {@link createBudgetClock}. */
  nowMs(): number;
  usage(counter: Counter<BudgetRule>, nowMs: number): BudgetUsage;
  level(counter: Counter<BudgetRule>, nowMs: number): BudgetLevel;
  /**
   * Reserves one call and its cost on every counter, and persists them. @throws Error, with nothing reserved, when the
   * call has a reservation, the sum is not a safe integer, or all counters are in use.
   */
  reserve(reservation: Reservation): void;
  /** Transfers the reservation of one call to another. False when the first has none. */
  carry(fromId: string, toId: string): boolean;
  /** Charges the reservation of the call; returns the warnings this causes. A second call does nothing. */
  charge(callId: string): readonly SoftLimitWarning[];
  /** Refunds the reservation of the call where its window is still current. A second call does nothing. */
  refund(callId: string): void;
}

export interface Reservation {
  readonly callId: string;
  readonly counters: readonly Counter<BudgetRule>[];
  readonly costNanoUsd: number;
  readonly nowMs: number;
}

interface Account {
  windowStartMs: number;
  windowEndMs: number;
  usedCalls: number;
  usedNanoUsd: number;
  isWarned: boolean;
  /** The part of the used amounts that is not charged yet. Only in memory: after a restart, all counts as charged. */
  reservedCalls: number;
  reservedNanoUsd: number;
}

interface HeldReservation {
  readonly account: Account;
  readonly counter: Counter<BudgetRule>;
}

/** Makes a state of at most `capacity` budgets in memory, loaded from and written through to `store`. */
export function createBudgetState(options: {
  readonly store: BudgetStore;
  readonly clock: Clock;
  readonly onClockJump: (jump: ClockJump) => void;
  readonly capacity?: number;
}): BudgetState {
  return new MemoryBudgets(options);
}

class MemoryBudgets implements BudgetState {
  readonly #accounts = new Map<string, Account>();
  readonly #reservations = new Map<
    string,
    { readonly costNanoUsd: number; readonly parts: readonly HeldReservation[] }
  >();
  readonly #store: BudgetStore;
  readonly #capacity: number;
  readonly #now: () => number;
  #nextExpiryMs = 0;

  constructor(options: Parameters<typeof createBudgetState>[0]) {
    this.#store = options.store;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    let notBeforeMs = 0;
    for (const { key, updatedAtMs, ...row } of options.store.load()) {
      this.#accounts.set(key, { ...row, reservedCalls: 0, reservedNanoUsd: 0 });
      notBeforeMs = Math.max(notBeforeMs, updatedAtMs);
    }
    const clock = createBudgetClock({ clock: options.clock, notBeforeMs, onJump: options.onClockJump });
    this.#now = () => clock.nowMs();
  }

  nowMs(): number {
    return this.#now();
  }

  usage(counter: Counter<BudgetRule>, nowMs: number): BudgetUsage {
    const account = this.#accounts.get(counter.key);
    if (account !== undefined && nowMs < account.windowEndMs) {
      return {
        windowStartMs: account.windowStartMs,
        usedCalls: account.usedCalls,
        usedNanoUsd: account.usedNanoUsd,
      };
    }
    return { windowStartMs: windowStartMs(counter.rule.window, nowMs), usedCalls: 0, usedNanoUsd: 0 };
  }

  level(counter: Counter<BudgetRule>, nowMs: number): BudgetLevel {
    const usage = this.usage(counter, nowMs);
    const account = this.#accounts.get(counter.key);
    const isCurrent = account !== undefined && nowMs < account.windowEndMs;
    return {
      ...usage,
      windowEndMs: windowEndMs(counter.rule.window, usage.windowStartMs),
      reservedCalls: isCurrent ? account.reservedCalls : 0,
      reservedNanoUsd: isCurrent ? account.reservedNanoUsd : 0,
      isWarned: isCurrent && account.isWarned,
    };
  }

  reserve({ callId, counters, costNanoUsd, nowMs }: Reservation): void {
    if (this.#reservations.has(callId)) throw new Error(`the call ${callId} has already reserved`);
    for (const counter of counters) {
      const { usedNanoUsd } = this.usage(counter, nowMs);
      if (!Number.isSafeInteger(usedNanoUsd + costNanoUsd)) throw new RangeError('the sum of costs is too large');
    }
    this.#evictExpired(counters, nowMs);
    const parts = counters.map((counter) => {
      const account = this.#openAccount(counter, nowMs);
      account.usedCalls += 1;
      account.usedNanoUsd += costNanoUsd;
      account.reservedCalls += 1;
      account.reservedNanoUsd += costNanoUsd;
      return { account, counter };
    });
    this.#reservations.set(callId, { costNanoUsd, parts });
    try {
      for (const { account, counter } of parts) this.#put(counter.key, account, nowMs);
    } catch (error) {
      // A reservation that is not durable must not count.
      this.#release(callId);
      throw error;
    }
  }

  carry(fromId: string, toId: string): boolean {
    const reservation = this.#reservations.get(fromId);
    if (reservation === undefined) return false;
    this.#reservations.delete(fromId);
    this.#reservations.set(toId, reservation);
    return true;
  }

  charge(callId: string): readonly SoftLimitWarning[] {
    const reservation = this.#reservations.get(callId);
    if (reservation === undefined) return [];
    this.#reservations.delete(callId);
    const warnings: SoftLimitWarning[] = [];
    for (const part of reservation.parts) {
      if (this.#isOver(part)) continue;
      const { account, counter } = part;
      account.reservedCalls -= 1;
      account.reservedNanoUsd -= reservation.costNanoUsd;
      if (account.isWarned || !crossesSoftLimit(counter.rule, account)) continue;
      account.isWarned = true;
      this.#put(counter.key, account, this.nowMs());
      warnings.push(softLimitWarning(counter, account));
    }
    return warnings;
  }

  refund(callId: string): void {
    for (const { account, counter } of this.#release(callId)) this.#put(counter.key, account, this.nowMs());
  }

  /** Removes the reservation of a call; returns the parts whose window is still current. */
  #release(callId: string): readonly HeldReservation[] {
    const reservation = this.#reservations.get(callId);
    if (reservation === undefined) return [];
    this.#reservations.delete(callId);
    // A refund to a window that is over would overwrite the row of the current window.
    const current = reservation.parts.filter((part) => !this.#isOver(part));
    for (const { account } of current) {
      account.usedCalls -= 1;
      account.usedNanoUsd -= reservation.costNanoUsd;
      account.reservedCalls -= 1;
      account.reservedNanoUsd -= reservation.costNanoUsd;
    }
    return current;
  }

  /** The account of a counter; a new one when its window is over. */
  #openAccount(counter: Counter<BudgetRule>, nowMs: number): Account {
    const known = this.#accounts.get(counter.key);
    if (known !== undefined && nowMs < known.windowEndMs) return known;
    const startMs = windowStartMs(counter.rule.window, nowMs);
    const account = {
      windowStartMs: startMs,
      windowEndMs: windowEndMs(counter.rule.window, startMs),
      usedCalls: 0,
      usedNanoUsd: 0,
      isWarned: false,
      reservedCalls: 0,
      reservedNanoUsd: 0,
    };
    // A new object, because reservations of the old window still refer to the old one.
    this.#accounts.set(counter.key, account);
    if (account.windowEndMs < this.#nextExpiryMs) this.#nextExpiryMs = account.windowEndMs;
    return account;
  }

  /** True when the window of the account is over and another account has replaced it. */
  #isOver({ account, counter }: HeldReservation): boolean {
    return this.#accounts.get(counter.key) !== account;
  }

  #evictExpired(counters: readonly Counter<BudgetRule>[], nowMs: number): void {
    if (this.#accounts.size + this.#missing(counters) <= this.#capacity) return;
    if (nowMs >= this.#nextExpiryMs) {
      let earliestMs = Number.POSITIVE_INFINITY;
      for (const [key, account] of this.#accounts) {
        if (account.windowEndMs <= nowMs) this.#accounts.delete(key);
        else earliestMs = Math.min(earliestMs, account.windowEndMs);
      }
      this.#nextExpiryMs = earliestMs;
    }
    if (this.#accounts.size + this.#missing(counters) > this.#capacity) {
      throw new Error(`all ${this.#capacity} budget counters are in use`);
    }
  }

  #missing(counters: readonly Counter<BudgetRule>[]): number {
    let count = 0;
    for (const { key } of counters) if (!this.#accounts.has(key)) count += 1;
    return count;
  }

  #put(key: string, account: Account, nowMs: number): void {
    this.#store.put({
      key,
      windowStartMs: account.windowStartMs,
      windowEndMs: account.windowEndMs,
      usedCalls: account.usedCalls,
      usedNanoUsd: account.usedNanoUsd,
      isWarned: account.isWarned,
      updatedAtMs: nowMs,
    });
  }
}

function crossesSoftLimit(rule: BudgetRule, account: Account): boolean {
  const { calls, nanoUsd } = rule.soft;
  return (
    (calls !== undefined && account.usedCalls - account.reservedCalls >= calls) ||
    (nanoUsd !== undefined && account.usedNanoUsd - account.reservedNanoUsd >= nanoUsd)
  );
}

function softLimitWarning(counter: Counter<BudgetRule>, account: Account): SoftLimitWarning {
  return {
    rule: counter.rule.at,
    key: counter.key,
    subject: counter.subject,
    window: counter.rule.window,
    windowStartMs: account.windowStartMs,
    usedCalls: account.usedCalls - account.reservedCalls,
    usedNanoUsd: account.usedNanoUsd - account.reservedNanoUsd,
    sharePercent: counter.rule.softPercent,
  };
}

/** Largest difference between calendar clock and budget clock that is not reported as a jump: slewing stays below it. */
const JUMP_MS = 10_000;

/** Calendar time for budgets. Never goes backwards; setting the machine's clock does not change it. */
interface BudgetClock {
  /** Whole milliseconds since 1970. */
  nowMs(): number;
}

/** The machine's calendar clock was set while the broker ran, or is behind the time an earlier run persisted. */
export interface ClockJump {
  /** Calendar clock less budget clock, in milliseconds: positive when the calendar clock is ahead. */
  readonly offsetMs: number;
}

/**
 * Makes a clock that reads the calendar once and then advances by the monotonic clock. `notBeforeMs` is the latest
 * persisted time: a calendar clock set back before a restart opens no window a second time. A clock set while the broker
 * runs, and time that the machine slept, take effect at the next start. `onJump` is called once per jump.
 */
function createBudgetClock(options: {
  readonly clock: Clock;
  readonly notBeforeMs: number;
  readonly onJump: (jump: ClockJump) => void;
}): BudgetClock {
  const { clock, onJump } = options;
  const startedAtMs = clock.monotonicMs();
  const anchorMs = Math.max(clock.wallMs(), options.notBeforeMs);
  let reportedOffsetMs = 0;
  return {
    nowMs() {
      const nowMs = Math.floor(anchorMs + (clock.monotonicMs() - startedAtMs));
      const offsetMs = Math.round(clock.wallMs() - nowMs);
      if (Math.abs(offsetMs - reportedOffsetMs) > JUMP_MS) {
        reportedOffsetMs = offsetMs;
        onJump({ offsetMs });
      }
      return nowMs;
    },
  };
}
