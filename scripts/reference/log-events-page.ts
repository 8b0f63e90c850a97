import { LOG_EVENTS, type LogEvent } from '../../src/telemetry/log-events.ts';
import { code, generatedFrom, meaningsTable, pageOf } from './markdown.ts';

/** The page `docs/reference/log-events.md`. */
export function logEventsPage(): string {
  const names = Object.keys(LOG_EVENTS).sort() as readonly LogEvent[];
  return pageOf([
    '# Log events',
    '',
    'Reference. Every event that the broker logs, with its level and its fields.',
    '',
    '`seneschal serve` writes its log to standard output, one line of text for each event. With `--output json` a line is',
    'JSON: `event` is the name, `level` is 30 (info), 40 (warn) or 50 (error), and `time` is in milliseconds since 1970. A',
    'background broker writes JSON to `broker.log` in the data directory. A line never holds arguments, results or secrets.',
    'The log is for monitoring. For evidence use the [ledger](ledger-entry.md).',
    '',
    ...names.flatMap((name) => {
      const { level, means, fields } = LOG_EVENTS[name];
      return [`## ${code(name)}`, '', `${level}. ${means}`, '', ...meaningsTable(['Field', 'Holds'], fields), ''];
    }),
    ...generatedFrom(['src/telemetry/log-events.ts']),
  ]);
}
