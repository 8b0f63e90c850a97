import { listLedger } from '../../../app/queries/ledger.ts';
import { ledgerEntryCells } from '../../format/ledger-entry.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { LEDGER_FILTER_FLAGS } from '../../framework/flags.ts';
import { printData, table } from '../../framework/output.ts';

export const ledgerList: CommandDefinition = defineCommand({
  path: 'ledger list',
  summary: 'show the newest entries, newest first',
  description: `Prints entries of the ledger, the newest first: requests with their agent, decisions with the row that decided,
    outcomes, and administrative events. An entry that was changed after it was written is marked TAMPERED. It only
    reads the ledger; a broker may run at the same time.`,
  flags: [
    { name: 'limit', value: 'number', description: 'number of entries', default: '50' },
    ...LEDGER_FILTER_FLAGS,
    { name: 'before', value: 'number', description: 'only entries older than the entry of this number' },
  ],
  settings: ['data'],
  exitCodes: { yes: 'the entries were printed; there may be none' },
  examples: [
    { title: 'See the last refusals and their reasons', line: 'seneschal ledger list --kind call.refused --limit 10' },
    {
      title: 'See the calls of one agent since a given time',
      line: 'seneschal ledger list --agent agent:demo --since 2026-11-23T12:00:00Z',
    },
    { title: 'Print the newest entries as JSON', line: 'seneschal ledger list --output json' },
  ],
  run: ({ flags, settings, output }) => {
    printData(listLedger(settings(), flags), output, (shown) => table(shown.map(ledgerEntryCells)));
    return EXIT.yes;
  },
});
