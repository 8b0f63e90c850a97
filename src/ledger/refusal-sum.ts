import type { Entry, MessageRefusedEntry, RefusedEntry, SummedEntry } from './entry.ts';

type Refusal = RefusedEntry | MessageRefusedEntry;

/** How many different sums one second may hold before every refusal gets its own entry again. */
const SUMS_LIMIT = 10_000;
const SECOND_MS = 1_000;

/** Refusals that cost an attacker nothing and would cost us a commit each. */
const SUMMED_REASONS: ReadonlySet<string> = new Set(['rate-exceeded', 'shutting-down', 'overloaded']);

interface Sum {
  readonly first: Refusal;
  readonly fromMs: number;
  count: number;
}

/**
 * Sums what could flood the book: of the refusals of one principal, one reason and one rule in one second the first is
 * written as itself and the others as one entry when the second is over. What is counted and not yet written is lost
 * when the process is killed; the first entry stands.
 */
export class RefusalSum {
  readonly #append: (entry: Entry) => Promise<void>;
  readonly #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | undefined;

  /** `append` MUST NOT resolve before the entry is durable. */
  constructor(append: (entry: Entry) => Promise<void>) {
    this.#append = append;
  }

  /** True when the refusal was counted and needs no entry; false when it has to be written as itself. */
  count(refusal: Refusal): boolean {
    const key = sumKeyOf(refusal);
    if (key === undefined) return false;
    const fromMs = refusal.atMs - (refusal.atMs % SECOND_MS);
    const sum = this.#sums.get(key);
    if (sum !== undefined && sum.fromMs === fromMs) {
      sum.count += 1;
      return true;
    }
    if (sum !== undefined) this.#write(key, sum, refusal.atMs);
    if (this.#sums.size < SUMS_LIMIT) this.#sums.set(key, { first: refusal, fromMs, count: 0 });
    this.#timer ??= setTimeout(this.#onTimer, SECOND_MS).unref();
    return false;
  }

  /** Writes every sum; `nowMs` is the time of the entries. Resolves when they are durable, rejects when one is not. */
  async flush(nowMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sums = [...this.#sums.values()].filter(({ count }) => count > 0);
    this.#sums.clear();
    await Promise.all(sums.map((sum) => this.#append(entryOf(sum, nowMs))));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    // The end of the summed second at the earliest; no clock is needed to say so.
    for (const [key, sum] of this.#sums) this.#write(key, sum, sum.fromMs + SECOND_MS);
  };

  #write(key: string, sum: Sum, nowMs: number): void {
    this.#sums.delete(key);
    if (sum.count === 0) return;
    this.#append(entryOf(sum, nowMs)).catch(() => {
      // The disk is full or the book closed: a count is not worth more than the refusals that go unwritten too.
    });
  }
}

function sumKeyOf(refusal: Refusal): string | undefined {
  if (refusal.kind === 'message.refused') return `${refusal.principal} message ${refusal.code}`;
  if (!SUMMED_REASONS.has(refusal.reason)) return undefined;
  return `${refusal.principal} ${refusal.reason} ${refusal.rule ?? ''}`;
}

function entryOf({ first, fromMs, count }: Sum, atMs: number): SummedEntry {
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
