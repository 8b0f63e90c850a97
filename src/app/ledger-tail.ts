import { lastEntry, listEntries, nextEntries, type ShownEntry } from '../ledger/query.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import { openSqliteForReading } from '../storage/sqlite-file.ts';
import { entryFilterOf, type FilterQuestion } from './ledger-questions.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Settings } from './settings.ts';

/** How often one who follows looks whether something was written. */
const LOOK_EVERY_MS = 200;
/** Entries that are read in one go, so that a flood needs no more memory than a trickle. */
const ENTRIES_AT_ONCE = 500;

/**
 * The newest entries that pass, oldest first, and when `follow` is set each that is written from then on, until `signal`
 * aborts. Reads beside the daemon, on a connection that cannot write and holds nothing up.
 * @throws ProblemError for a question that is no question, or a data directory without a book.
 */
export async function* tailLedger(
  settings: Settings,
  question: FilterQuestion,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<ShownEntry> {
  const filter = entryFilterOf(question, 20);
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    // Asked first: what comes between the two questions is shown by the second and not lost between them.
    let after = lastEntry(database)?.seq ?? 0;
    yield* listEntries(database, { ...filter, before: after + 1 }).toReversed();
    while (follow && !signal.aborted) {
      const through = lastEntry(database)?.seq ?? after;
      for (let isMore = true; isMore; ) {
        const entries = nextEntries(database, { ...filter, after, before: through + 1, limit: ENTRIES_AT_ONCE });
        yield* entries;
        isMore = entries.length === ENTRIES_AT_ONCE;
        after = isMore ? (entries.at(-1)?.seq ?? through) : through;
      }
      await pause(signal);
    }
  } finally {
    database.close();
  }
}

/** Waits for the next look, or until nobody listens any more. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_EVERY_MS);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
