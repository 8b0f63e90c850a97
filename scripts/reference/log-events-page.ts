import { LOG_EVENTS, type LogEvent } from '../../src/telemetry/log-events.ts';
import { code, madeFrom, meaningsTable, pageOf } from './markdown.ts';

/** The page `docs/reference/log-events.md`. */
export function logEventsPage(): string {
  const names = Object.keys(LOG_EVENTS).sort() as readonly LogEvent[];
  return pageOf([
    '# Log events',
    '',
    madeFrom(['src/telemetry/log-events.ts']),
    '',
    '`seneschal serve` writes its log to standard output: a line of text for each event, or with `--output json` a line of',
    'JSON, whose `event` is the name, `level` 30 (info), 40 (warn) or 50 (error), and `time` milliseconds since 1970. A',
    'broker that was started in the background writes JSON to `broker.log` in the data directory. Arguments, results and',
    'secrets never stand in a line. The log is for watching; what must be kept is in the [ledger](ledger-entry.md).',
    '',
    ...names.flatMap((name) => {
      const { level, means, fields } = LOG_EVENTS[name];
      return [`## ${code(name)}`, '', `${level}. ${means}`, '', ...meaningsTable(['Field', 'Holds'], fields), ''];
    }),
  ]);
}
