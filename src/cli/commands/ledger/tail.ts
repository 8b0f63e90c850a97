import { once } from 'node:events';
import { tailLedger } from '../../../app/ledger-tail.ts';
import type { ShownEntry } from '../../../ledger/query.ts';
import { visibleText } from '../../../lib/visible-text.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { entryRow } from '../../ledger-row.ts';

export const ledgerTail: CommandDeclaration = defineCommand({
  path: 'ledger tail',
  summary: 'show the newest entries, oldest first, and follow what is written',
  does: `Prints the newest entries of the ledger in the order in which they were written, one line each, and with --follow
    every entry that is written from then on, until you end it with Ctrl-C or whoever reads the output goes away. With
    --output json each line is one JSON object. It only reads, beside a broker that runs or without one.`,
  flags: [
    { name: 'limit', value: 'number', what: 'how many to begin with', default: '20' },
    { name: 'follow', what: 'go on with what is written from now on' },
    { name: 'agent', value: 'agent', what: 'only of this agent' },
    { name: 'kind', value: 'kind', what: 'only of this kind, such as `call.refused`' },
    { name: 'call', value: 'id', what: 'only of this call' },
    { name: 'tool', value: 'tool', what: 'only of this tool, such as `tool:files/read_text_file`' },
    { name: 'reason', value: 'reason', what: 'only with this reason, such as `policy-denied`' },
    { name: 'since', value: 'time', what: 'made at this time or later: `1h` ago, a day, or a time as ISO 8601' },
  ],
  settings: ['data'],
  exits: {
    yes: 'the entries were printed; with --follow, until you ended it',
    interrupted: 'ended by Ctrl-C before the ledger was open',
  },
  examples: [
    { wish: 'See what happened last', line: 'seneschal ledger tail --limit 5' },
    {
      wish: 'Watch what is refused, as it is refused',
      line: 'seneschal ledger tail --follow --kind call.refused',
      runsOn: true,
    },
    {
      wish: 'Feed everything that is written to a program',
      line: 'seneschal ledger tail --follow --output json',
      runsOn: true,
    },
  ],
  run: async ({ flags: { follow, ...filter }, settings, output }) => {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    process.once('SIGINT', end).once('SIGTERM', end);
    // Who reads has gone (EPIPE): nothing that is written would be seen.
    process.stdout.once('error', end);
    const line = output === 'json' ? (entry: ShownEntry): string => JSON.stringify(entry) : textLine;
    for await (const entry of tailLedger(settings(), filter, { follow, signal: ending.signal })) {
      if (ending.signal.aborted) break;
      if (!process.stdout.write(`${visibleText(line(entry))}\n`)) await drained(ending.signal);
    }
    return EXIT.yes;
  },
});

function textLine(entry: ShownEntry): string {
  return entryRow(entry).join('  ').trimEnd();
}

/** Waits for a slow reader, or until there is none. */
function drained(signal: AbortSignal): Promise<unknown> {
  return once(process.stdout, 'drain', { signal }).catch(() => undefined);
}
