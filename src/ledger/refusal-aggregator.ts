import type { Entry, MessageRefusedEntry, RefusedEntry, SummedEntry } from './entry.ts';

type Refusal = RefusedEntry | MessageRefusedEntry;

/** Limit of aggregates at one time. Beyond it, every further refusal gets its own entry. */
const MAX_AGGREGATES = 10_000;
const SECOND_MS = 1_000;

/** Reasons of refusals that are free for an attacker and would cost the broker a commit each. */
const AGGREGATED_REASONS: ReadonlySet<string> = new Set(['rate-exceeded', 'shutting-down', 'overloaded']);

interface Aggregate {
  readonly first: Refusal;
  readonly fromMs: number;
  count: number;
}

/**
 * Aggregates refusals that could flood the ledger. Of the refusals of one principal, reason and rule within one second,
 * the first gets its own entry, and the others get one entry at the end of the second. If the process is killed, a
 * count that is not yet written is lost; the first entry stays.
 */
export class RefusalAggregator {
  readonly #append: (entry: Entry) => Promise<void>;
  readonly #aggregates = new Map<string, Aggregate>();
  #timer: NodeJS.Timeout | undefined;

  /** `append` MUST NOT resolve before the entry is durable. */
  constructor(append: (entry: Entry) => Promise<void>) {
    this.#append = append;
  }

  /** True if the refusal was counted and needs no entry; false if the caller must write its entry. */
  count(refusal: Refusal): boolean {
    const key = aggregateKey(refusal);
    if (key === undefined) return false;
    const fromMs = refusal.atMs - (refusal.atMs % SECOND_MS);
    const aggregate = this.#aggregates.get(key);
    if (aggregate !== undefined && aggregate.fromMs === fromMs) {
      aggregate.count += 1;
      return true;
    }
    if (aggregate !== undefined) this.#write(key, aggregate, refusal.atMs);
    if (this.#aggregates.size < MAX_AGGREGATES) this.#aggregates.set(key, { first: refusal, fromMs, count: 0 });
    this.#timer ??= setTimeout(this.#onTimer, SECOND_MS).unref();
    return false;
  }

  /** Writes every aggregate, with the time `nowMs`. Resolves when they are durable; rejects if one is not. */
  async flush(nowMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sums = [...this.#aggregates.values()].filter(({ count }) => count > 0);
    this.#aggregates.clear();
    await Promise.all(sums.map((aggregate) => this.#append(toEntry(aggregate, nowMs))));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    // The entry is timed at the end of its second, so no clock is needed.
    for (const [key, aggregate] of this.#aggregates) this.#write(key, aggregate, aggregate.fromMs + SECOND_MS);
  };

  #write(key: string, aggregate: Aggregate, nowMs: number): void {
    this.#aggregates.delete(key);
    if (aggregate.count === 0) return;
    this.#append(toEntry(aggregate, nowMs)).catch(() => {
      // The disk is full or the database is closed; the refusals themselves cannot be written then either.
    });
  }
}

function aggregateKey(refusal: Refusal): string | undefined {
  if (refusal.kind === 'message.refused') return `${refusal.principal} message ${refusal.code}`;
  if (!AGGREGATED_REASONS.has(refusal.reason)) return undefined;
  return `${refusal.principal} ${refusal.reason} ${refusal.rule ?? ''}`;
}

function toEntry({ first, fromMs, count }: Aggregate, atMs: number): SummedEntry {
  return {
    atMs,
    ...(first.kind === 'message.refused' ? { code: first.code } : {}),
    count,
    fromMs,
    kind: 'call.refusals-summed',
    of: first.kind,
    principal: first.principal,
    ...(first.kind === 'call.refused' ? { reason: first.reason } : {}),
    registry: first.registry,
    revision: first.revision,
    ...(first.kind === 'call.refused' && first.rule !== undefined ? { rule: first.rule } : {}),
    session: first.session,
    v: 1,
  };
}
