import { parseAgentName } from '../domain/agent-name.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { REASONS } from '../domain/reasons.ts';
import { ENTRY_KINDS } from '../ledger/entry.ts';
import type { EntryFilter } from '../ledger/entry-filter.ts';
import { type CallEntryView, type LedgerEntryView, listCallEntries, listEntries } from '../ledger/query.ts';
import { parseTimestamp } from '../lib/time-point.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import { openSqliteForReading, type SqliteFileReader } from '../storage/sqlite-file.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';

/** Which entries a person asks for, as typed. */
export interface EntryFilterFlags {
  readonly limit?: string;
  readonly agent?: string;
  readonly kind?: string;
  readonly call?: string;
  readonly tool?: string;
  readonly reason?: string;
  /** A time, a day, or so long ago. */
  readonly since?: string;
}

/** As above, and pages. */
export interface EntryListFlags extends EntryFilterFlags {
  readonly before?: string;
}

/** What a moment is written as. */
export const TIME_HINT =
  'write a time such as `2026-11-23T12:00:00Z`, a day such as `2026-11-23`, or `7d` for so long ago';

/** Opens a data directory's book for reading, also beside the daemon that writes it; closed when `read` returns. */
export function readLedger<T>(settings: Settings, read: (database: SqliteFileReader) => T): T {
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    return read(database);
  } finally {
    database.close();
  }
}

/** The newest entries that pass, at most 50 where nothing else is asked. @throws ProblemError for a question that is no question. */
export function listLedger(settings: Settings, flags: EntryListFlags): readonly LedgerEntryView[] {
  const filter = parseEntryFilter(flags, 50);
  return readLedger(settings, (database) => listEntries(database, filter));
}

/**
 * The filter that was typed; `limit` holds where none was. `limit` may be 0 where that is the default.
 * @throws ProblemError with every part that is not allowed.
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
    tool: optional(flags.tool, (text) => toolId(text) ?? reject('--tool', 'write one such as `tool:files/read_file`')),
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

/** `tool:files/read_file` also as agents see it, and without its kind; of other kinds the whole id; undefined for what is none. */
function toolId(text: string): string | undefined {
  if (/^(?:(?:prompt|resource):[a-z0-9-]+\/.+|(?:tool|prompt|resource):unknown)$/s.test(text)) return text;
  const [, server, tool] = /^(?:tool:)?([a-z0-9-]+)(?:\/|__)(.+)$/.exec(text) ?? [];
  return server === undefined ? undefined : `tool:${server}/${tool}`;
}

/** Everything recorded of one call. @throws ProblemError `ledger-unknown-call`. */
export function showLedgerCall(settings: Settings, callId: string): readonly CallEntryView[] {
  const entries = readLedger(settings, (database) => listCallEntries(database, callId));
  if (entries.length > 0) return entries;
  throw new ProblemError([
    {
      code: 'ledger-unknown-call',
      at: '',
      message: `no entry is of the call \`${callId.replaceAll(/[^\w-]/g, '?').slice(0, 64)}\``,
      hint: 'run `seneschal ledger list`',
    },
  ]);
}
