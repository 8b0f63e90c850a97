import { type Problem, ProblemError } from '../domain/problem.ts';
import { ENTRY_KINDS } from '../ledger/entry.ts';
import { listEntries, type ShownActOfCall, type ShownEntry, showCall } from '../ledger/query.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import { type OpenedReader, openSqliteForReading } from '../storage/sqlite-file.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Settings } from './settings.ts';

/** Which entries a person asks for, as typed. */
export interface ListQuestion {
  readonly limit?: string;
  readonly agent?: string;
  readonly kind?: string;
  readonly call?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly before?: string;
}

/** Opens a data directory's book for reading, also beside the daemon that writes it; closed when `read` returns. */
export function readingLedger<T>(settings: Settings, read: (database: OpenedReader) => T): T {
  const database = openSqliteForReading(databasePathOf(settings.data), MIGRATIONS);
  try {
    return read(database);
  } finally {
    database.close();
  }
}

/** The newest entries that pass. @throws ProblemError for a question that is no question. */
export function listLedger(settings: Settings, question: ListQuestion): readonly ShownEntry[] {
  const problems: Problem[] = [];
  const wrong = (at: string, hint: string): void => {
    problems.push({ code: 'settings-invalid', at, message: `\`${at}\` has a value that is not allowed`, hint });
  };
  const number = (at: string, text: string | undefined): number | undefined => {
    if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
    wrong(at, 'write a whole number from 1');
    return undefined;
  };
  const limit = number('--limit', question.limit) ?? 50;
  const before = number('--before', question.before);
  const kind = ENTRY_KINDS.find((known) => known === question.kind);
  if (question.kind !== undefined && kind === undefined) wrong('--kind', `write one of ${ENTRY_KINDS.join(', ')}`);
  const sinceMs = question.since === undefined ? undefined : Date.parse(question.since);
  if (Number.isNaN(sinceMs)) wrong('--since', 'write a time such as `2026-11-23T12:00:00Z`');
  if (problems.length > 0) throw new ProblemError(problems);
  return readingLedger(settings, (database) =>
    listEntries(database, {
      limit,
      ...(before === undefined ? {} : { before }),
      ...(kind === undefined ? {} : { kind }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(question.agent === undefined ? {} : { agent: question.agent.replace(/^agent:/, '') }),
      ...(question.call === undefined ? {} : { callId: question.call }),
    }),
  );
}

/** Everything recorded of one call. @throws ProblemError `ledger-unknown-call`. */
export function showLedgerCall(settings: Settings, callId: string): readonly ShownActOfCall[] {
  const acts = readingLedger(settings, (database) => showCall(database, callId));
  if (acts.length > 0) return acts;
  throw new ProblemError([
    {
      code: 'ledger-unknown-call',
      at: '',
      message: `no entry is of the call \`${callId.replaceAll(/[^\w-]/g, '?').slice(0, 64)}\``,
      hint: 'run `seneschal ledger list`',
    },
  ]);
}
