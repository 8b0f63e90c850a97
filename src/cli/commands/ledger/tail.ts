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
  summary: 'show the newest entries, oldest first, and follow what is written',
  description: `Prints the newest entries of the ledger in the order in which they were written, one line each, and with --follow
    every entry that is written from then on, until you end it with Ctrl-C or whoever reads the output goes away. With
    --output json each line is one JSON object. It only reads, beside a broker that runs or without one.`,
  flags: [
    { name: 'limit', value: 'number', description: 'how many to begin with', default: '20' },
    { name: 'follow', description: 'go on with what is written from now on' },
    ...LEDGER_FILTER_FLAGS,
  ],
  settings: ['data'],
  exitCodes: { yes: 'the entries were printed, or whoever read them has gone' },
  examples: [
    {
      title: 'Watch what is written, as it is written',
      line: 'seneschal ledger tail --follow',
      runsUntil: 'call.refused',
    },
    {
      title: 'Feed refusals to a program, those of the last hour first',
      line: 'seneschal ledger tail --follow --kind call.refused --since 1h --output json',
      runsUntil: '"call.refused"',
    },
    { title: 'See what happened last', line: 'seneschal ledger tail --limit 5' },
  ],
  run: async ({ flags: { follow, ...filter }, settings, output }) => {
    const ending = new AbortController();
    let isInterrupted = false;
    const interrupt = (): void => {
      isInterrupted = true;
      ending.abort();
    };
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    // Whoever read has gone (EPIPE): nothing that is written would be seen.
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

/** Waits for a slow reader, or until there is none. */
function drained(signal: AbortSignal): Promise<unknown> {
  return once(process.stdout, 'drain', { signal }).catch(() => undefined);
}
