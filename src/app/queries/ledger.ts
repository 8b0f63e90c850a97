import { parseAgentName } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { REASONS } from '../../domain/reasons.ts';
import { restorePrincipal } from '../../identity/principal.ts';
import { ENTRY_KINDS } from '../../ledger/entry.ts';
import {
  type CallEntryView,
  type EntryFilter,
  iterateDecisions,
  type LedgerEntryView,
  listCallEntries,
  listEntries,
  listNextEntries,
  readLastEntry,
} from '../../ledger/list-entries.ts';
import { readPolicyArchive } from '../../ledger/policy-archive.ts';
import { parseTimestamp } from '../../lib/time.ts';
import { createBudgetState } from '../../limits/budget/state.ts';
import { createConcurrencyState } from '../../limits/concurrency.ts';
import { createRateState } from '../../limits/rate.ts';
import { type ReplayReport, replayDecide } from '../../replay/replay-decide.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { openSqliteForReading, type SqliteFileReader } from '../../storage/sqlite-file.ts';
import { SchemaCompiler } from '../../validation/json-schema/compile.ts';
import { allControls, type ControlState, controlLists } from '../control-lists.ts';
import { MIGRATIONS } from '../migrations.ts';
import { loadPolicyBundle } from '../runtime/policy-bundle.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';

/** Filter of entries, as typed. */
export interface EntryFilterFlags {
  readonly limit?: string;
  readonly agent?: string;
  readonly kind?: string;
  readonly call?: string;
  readonly tool?: string;
  readonly reason?: string;
  /** A time, a day, or a duration before now. */
  readonly since?: string;
}

/** Filter of entries with pages, as typed. */
export interface EntryListFlags extends EntryFilterFlags {
  readonly before?: string;
}

export const TIME_HINT =
  'write a time such as `2026-11-23T12:00:00Z`, a day such as `2026-11-23`, or a duration such as `7d` before now';

/** Opens the ledger of a data directory for reading, also while a daemon writes it; closes it when `read` returns. */
export function readLedger<T>(settings: Settings, read: (database: SqliteFileReader) => T): T {
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    return read(database);
  } finally {
    database.close();
  }
}

/** Newest entries that match, at most 50 without `--limit`. @throws ProblemError for an invalid filter. */
export function listLedger(settings: Settings, flags: EntryListFlags): readonly LedgerEntryView[] {
  const filter = parseEntryFilter(flags, 50);
  return readLedger(settings, (database) => listEntries(database, filter));
}

/**
 * Parses a filter. `limit` is the default and may be 0, which cannot be typed.
 * @throws ProblemError with every invalid part.
 */
export function parseEntryFilter(flags: EntryListFlags, limit: number): EntryFilter & { readonly limit: number } {
  const problems: Problem[] = [];
  const reject = (at: string, hint: string): undefined => {
    problems.push({ code: 'settings-invalid', at, message: `\`${at}\` has a value that is not allowed`, hint });
    return undefined;
  };
  const number = (at: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : reject(at, 'write a whole number from 1');
  };
  const values = {
    limit: number('--limit', flags.limit),
    before: number('--before', flags.before),
    sinceMs: optional(
      flags.since,
      (text) => parseTimestamp(text, systemClock.wallMs()) ?? reject('--since', TIME_HINT),
    ),
    kind: optional(
      flags.kind,
      (text) => ENTRY_KINDS.find((known) => known === text) ?? reject('--kind', oneOf(ENTRY_KINDS)),
    ),
    reason: optional(flags.reason, (text) =>
      Object.hasOwn(REASONS, text) ? text : reject('--reason', oneOf(Object.keys(REASONS))),
    ),
    tool: optional(
      flags.tool,
      (text) => toolId(text) ?? reject('--tool', 'write an id such as `tool:files/read_file`'),
    ),
    agent: optional(flags.agent, parseAgentName),
    callId: flags.call,
  };
  if (problems.length > 0) throw new ProblemError(problems);
  const definedValues = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  return { limit, ...definedValues };
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function oneOf(words: readonly string[]): string {
  return `write one of ${words.join(', ')}`;
}

/** Accepts `tool:files/read_file`, `files/read_file` and `files__read_file`; of other kinds the id. Undefined if invalid. */
function toolId(text: string): string | undefined {
  if (/^(?:(?:prompt|resource):[a-z0-9-]+\/.+|(?:tool|prompt|resource):unknown)$/s.test(text)) return text;
  const [, server, tool] = /^(?:tool:)?([a-z0-9-]+)(?:\/|__)(.+)$/.exec(text) ?? [];
  return server === undefined ? undefined : `tool:${server}/${tool}`;
}

/** Every entry of one call. @throws ProblemError `ledger-unknown-call`. */
export function showLedgerCall(settings: Settings, callId: string): readonly CallEntryView[] {
  const entries = readLedger(settings, (database) => listCallEntries(database, callId));
  if (entries.length > 0) return entries;
  throw new ProblemError([
    {
      code: 'ledger-unknown-call',
      at: '',
      message: `the ledger has no entry of call \`${callId.replaceAll(/[^\w-]/g, '?').slice(0, 64)}\``,
      hint: 'run `seneschal ledger list`',
    },
  ]);
}

/** Interval between two reads with `follow`. */
const POLL_INTERVAL_MS = 200;
/** Entries that are read at one time, which bounds memory. */
const BATCH_ENTRIES = 500;

/**
 * Yields the newest entries that match, oldest first; with `follow` also each later one, until `signal` aborts. Reads
 * on a read-only connection that does not block a running daemon.
 * @throws ProblemError for an invalid filter, or a data directory without a ledger.
 */
export async function* tailLedger(
  settings: Settings,
  flags: EntryFilterFlags,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<LedgerEntryView> {
  const filter = parseEntryFilter(flags, 20);
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    // The position is read first: an entry that is written between the two reads is yielded by the loop below.
    let after = readLastEntry(database)?.seq ?? 0;
    yield* listEntries(database, { ...filter, before: after + 1 }).toReversed();
    while (follow && !signal.aborted) {
      const through = readLastEntry(database)?.seq ?? after;
      for (let isMore = true; isMore; ) {
        const entries = listNextEntries(database, { ...filter, after, before: through + 1, limit: BATCH_ENTRIES });
        yield* entries;
        isMore = entries.length === BATCH_ENTRIES;
        after = isMore ? (entries.at(-1)?.seq ?? through) : through;
      }
      await waitForNextPoll(signal);
    }
  } finally {
    database.close();
  }
}

/** Waits for the next read or the abort. */
function waitForNextPoll(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, POLL_INTERVAL_MS);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** Decides every recorded call of a data directory again, each with the policy set of its revision. Only reads. */
export function replayLedger(settings: Settings): ReplayReport {
  return readLedger(settings, (database) =>
    replayDecide({
      decisions: iterateDecisions(database),
      principalOf: restorePrincipal,
      controlsFor: (revision) => {
        const texts = readPolicyArchive(database, revision);
        if (!texts) return undefined;
        return allControls(controlLists(loadPolicyBundle(texts, 'policies'), frozenState()));
      },
    }),
  );
}

/** State for controls that only decide: the clock stands still, and the counters are empty. */
function frozenState(): ControlState {
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  return {
    clock,
    rates: createRateState(),
    concurrency: createConcurrencyState(),
    budgets: createBudgetState({ clock, store: { load: () => [], put: () => {} }, onClockJump: () => {} }),
    schemas: new SchemaCompiler(),
    onSoftLimit: () => {},
  };
}
