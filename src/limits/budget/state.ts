import type { Clock } from '../../lib/time.ts';
import { windowEndMs, windowStartMs } from '../calendar-window.ts';
import type { BudgetRule, Counter } from '../limit-rules.ts';
import { type ClockJump, createBudgetClock } from './clock.ts';
import type { BudgetStore } from './store.ts';

/** How many budgets are kept by default; each is one rule for one subject. */
const DEFAULT_CAPACITY = 65_536;

/** What is used of one budget in the window that holds now. */
export interface BudgetUsage {
  readonly windowStartMs: number;
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
}

/** A budget as it stands, for people: of what is used a part may be reserved only. */
export interface BudgetLevel extends BudgetUsage {
  readonly windowEndMs: number;
  readonly reservedCalls: number;
  readonly reservedNanoUsd: number;
  /** True when the soft warning of this window was given. */
  readonly isWarned: boolean;
}

/** A budget whose soft share was crossed by a charge. Told once per window, also over restarts. */
export interface SoftLimitWarning {
  /** `limits.yaml:<line>`. */
  readonly rule: string;
  readonly key: string;
  readonly subject: string;
  readonly window: BudgetRule['window'];
  readonly windowStartMs: number;
  /** Charged, without what is reserved. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
  readonly sharePercent: number;
}

/** The truth about all budgets. Outlives every revision of the rules. */
export interface BudgetState {
  /** Budget time in milliseconds since 1970: see `budget-clock.ts`. */
  nowMs(): number;
  usage(counter: Counter<BudgetRule>, nowMs: number): BudgetUsage;
  level(counter: Counter<BudgetRule>, nowMs: number): BudgetLevel;
  /**
   * Reserves one call and its cost on every counter, and persists it. @throws Error, with nothing reserved, when the
   * call has reserved before, the sum is no safe integer, or there is no room for another live budget.
   */
  reserve(reservation: Reservation): void;
  /** Makes what one call reserved another's, which goes on with it. False when the one has reserved nothing. */
  carry(fromId: string, toId: string): boolean;
  /** Charges what the call reserved; returns the warnings that this gives. Does nothing the second time. */
  charge(callId: string): readonly SoftLimitWarning[];
  /** Gives back what the call reserved, where its window still runs. Does nothing the second time. */
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
  /** Part of what is used that is not charged yet. Only in memory: after a restart nothing is merely reserved. */
  reservedCalls: number;
  reservedNanoUsd: number;
}

interface HeldReservation {
  readonly account: Account;
  readonly counter: Counter<BudgetRule>;
}

/** Budgets in memory, at most `capacity` of them, loaded from and written through to `store`. */
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
      // A reservation that cannot be kept over a restart is none.
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

  /** Takes the reservation of a call off its accounts; returns those of them whose window still runs. */
  #release(callId: string): readonly HeldReservation[] {
    const reservation = this.#reservations.get(callId);
    if (reservation === undefined) return [];
    this.#reservations.delete(callId);
    // Where the window is over nothing is left to give back to, and its row would replace that of the next.
    const running = reservation.parts.filter((part) => !this.#isOver(part));
    for (const { account } of running) {
      account.usedCalls -= 1;
      account.usedNanoUsd -= reservation.costNanoUsd;
      account.reservedCalls -= 1;
      account.reservedNanoUsd -= reservation.costNanoUsd;
    }
    return running;
  }

  /** The account of a counter, begun anew when its window is over. */
  #openAccount(counter: Counter<BudgetRule>, nowMs: number): Account {
    const known = this.#accounts.get(counter.key);
    if (known !== undefined && nowMs < known.windowEndMs) return known;
    const startMs = windowStartMs(counter.rule.window, nowMs);
    const fresh = {
      windowStartMs: startMs,
      windowEndMs: windowEndMs(counter.rule.window, startMs),
      usedCalls: 0,
      usedNanoUsd: 0,
      isWarned: false,
      reservedCalls: 0,
      reservedNanoUsd: 0,
    };
    // A new object: calls that reserved in the old window still hold the old one.
    this.#accounts.set(counter.key, fresh);
    if (fresh.windowEndMs < this.#nextExpiryMs) this.#nextExpiryMs = fresh.windowEndMs;
    return fresh;
  }

  /** True when the window that the account stood for is over and another account stands in its place. */
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
