import { once } from 'node:events';
import { tailLedger } from '../../../app/queries/ledger.ts';
import type { LedgerEntryView } from '../../../ledger/list-entries.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { ledgerEntryCells } from '../../format/ledger-entry.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { LEDGER_FILTER_FLAGS } from '../../framework/flags.ts';

export const ledgerTail: CommandDefinition = defineCommand({
  path: 'ledger tail',
  summary: 'show the newest entries, oldest first, and follow new ones',
  description: `Prints the newest entries of the ledger in the order in which they were written, one line each. With --follow it
    prints new entries as they are written, until Ctrl-C or until the reader closes the pipe. With --output json each
    line is one JSON object. It only reads the ledger; a broker may run at the same time.`,
  flags: [
    { name: 'limit', value: 'number', description: 'number of entries to begin with', default: '20' },
    { name: 'follow', description: 'print new entries as they are written' },
    ...LEDGER_FILTER_FLAGS,
  ],
  settings: ['data'],
  exitCodes: { yes: 'the entries were printed, or the reader closed the pipe' },
  examples: [
    {
      title: 'Watch new entries',
      line: 'seneschal ledger tail --follow',
      runsUntil: 'call.refused',
    },
    {
      title: 'Stream refusals as JSON, beginning with those of the last hour',
      line: 'seneschal ledger tail --follow --kind call.refused --since 1h --output json',
      runsUntil: '"call.refused"',
    },
    { title: 'See the last five entries', line: 'seneschal ledger tail --limit 5' },
  ],
  run: async ({ flags: { follow, ...filter }, settings, output }) => {
    const ending = new AbortController();
    let isInterrupted = false;
    const interrupt = (): void => {
      isInterrupted = true;
      ending.abort();
    };
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    // The reader has closed the pipe (EPIPE).
    process.stdout.once('error', () => ending.abort());
    const line = output === 'json' ? (entry: LedgerEntryView): string => JSON.stringify(entry) : textLine;
    for await (const entry of tailLedger(settings(), filter, { follow, signal: ending.signal })) {
      if (ending.signal.aborted) break;
      if (!process.stdout.write(`${escapeControlCharacters(line(entry))}\n`)) await drained(ending.signal);
    }
    return isInterrupted ? EXIT.interrupted : EXIT.yes;
  },
});

function textLine(entry: LedgerEntryView): string {
  return ledgerEntryCells(entry).join('  ').trimEnd();
}

/** Waits until a slow reader has caught up, or until the signal aborts. */
function drained(signal: AbortSignal): Promise<unknown> {
  return once(process.stdout, 'drain', { signal }).catch(() => undefined);
}
