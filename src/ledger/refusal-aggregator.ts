import type { Entry, MessageRefusedEntry, RefusedEntry, SummedEntry } from './entry.ts';

type Refusal = RefusedEntry | MessageRefusedEntry;

/** How many different sums one second may hold before every refusal gets its own entry again. */
const MAX_AGGREGATES = 10_000;
const SECOND_MS = 1_000;

/** Refusals that cost an attacker nothing and would cost us a commit each. */
const AGGREGATED_REASONS: ReadonlySet<string> = new Set(['rate-exceeded', 'shutting-down', 'overloaded']);

interface Aggregate {
  readonly first: Refusal;
  readonly fromMs: number;
  count: number;
}

/**
 * Sums what could flood the book: of the refusals of one principal, one reason and one rule in one second the first is
 * written as itself and the others as one entry when the second is over. What is counted and not yet written is lost
 * when the process is killed; the first entry stands.
 */
export class RefusalAggregator {
  readonly #append: (entry: Entry) => Promise<void>;
  readonly #aggregates = new Map<string, Aggregate>();
  #timer: NodeJS.Timeout | undefined;

  /** `append` MUST NOT resolve before the entry is durable. */
  constructor(append: (entry: Entry) => Promise<void>) {
    this.#append = append;
  }

  /** True when the refusal was counted and needs no entry; false when it has to be written as itself. */
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

  /** Writes every sum; `nowMs` is the time of the entries. Resolves when they are durable, rejects when one is not. */
  async flush(nowMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sums = [...this.#aggregates.values()].filter(({ count }) => count > 0);
    this.#aggregates.clear();
    await Promise.all(sums.map((aggregate) => this.#append(toEntry(aggregate, nowMs))));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    // The end of the summed second at the earliest; no clock is needed to say so.
    for (const [key, aggregate] of this.#aggregates) this.#write(key, aggregate, aggregate.fromMs + SECOND_MS);
  };

  #write(key: string, aggregate: Aggregate, nowMs: number): void {
    this.#aggregates.delete(key);
    if (aggregate.count === 0) return;
    this.#append(toEntry(aggregate, nowMs)).catch(() => {
      // The disk is full or the book closed: a count is not worth more than the refusals that go unwritten too.
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
