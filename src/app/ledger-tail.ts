import { type LedgerEntryView, listEntries, listNextEntries, readLastEntry } from '../ledger/query.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import { openSqliteForReading } from '../storage/sqlite-file.ts';
import { type EntryFilterFlags, parseEntryFilter } from './ledger-questions.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Settings } from './settings.ts';

/** How often one who follows looks whether something was written. */
const POLL_INTERVAL_MS = 200;
/** Entries that are read in one go, so that a flood needs no more memory than a trickle. */
const BATCH_ENTRIES = 500;

/**
 * The newest entries that pass, oldest first, and when `follow` is set each that is written from then on, until `signal`
 * aborts. Reads beside the daemon, on a connection that cannot write and holds nothing up.
 * @throws ProblemError for a question that is no question, or a data directory without a book.
 */
export async function* tailLedger(
  settings: Settings,
  flags: EntryFilterFlags,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<LedgerEntryView> {
  const filter = parseEntryFilter(flags, 20);
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    // Asked first: what comes between the two questions is shown by the second and not lost between them.
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

/** Waits for the next look, or until nobody listens any more. */
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
