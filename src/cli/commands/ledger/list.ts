import { listLedger } from '../../../app/queries/ledger.ts';
import { ledgerEntryCells } from '../../format/ledger-entry.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { LEDGER_FILTER_FLAGS } from '../../framework/flags.ts';
import { printData, table } from '../../framework/output.ts';

export const ledgerList: CommandDefinition = defineCommand({
  path: 'ledger list',
  summary: 'show the newest entries, newest first',
  description: `Prints entries of the ledger, the newest first: what was asked and by whom, what was decided and by which row, how
    it ended, and every act of administration. An entry that was changed after it was written is marked TAMPERED.
    It only reads, beside a broker that runs or without one.`,
  flags: [
    { name: 'limit', value: 'number', description: 'how many', default: '50' },
    ...LEDGER_FILTER_FLAGS,
    { name: 'before', value: 'number', description: 'older than the entry of this number' },
  ],
  settings: ['data'],
  exitCodes: { yes: 'the entries were printed; there may be none that match' },
  examples: [
    { title: 'See what was refused lately, and why', line: 'seneschal ledger list --kind call.refused --limit 10' },
    {
      title: 'See what one agent has done since a certain time',
      line: 'seneschal ledger list --agent agent:demo --since 2026-11-23T12:00:00Z',
    },
    { title: 'Hand the newest entries to a program', line: 'seneschal ledger list --output json' },
  ],
  run: ({ flags, settings, output }) => {
    printData(listLedger(settings(), flags), output, (shown) => table(shown.map(ledgerEntryCells)));
    return EXIT.yes;
  },
});
