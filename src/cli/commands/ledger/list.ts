import { listLedger } from '../../../app/ledger-questions.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { LEDGER_FILTER_FLAGS } from '../../ledger-filter-flags.ts';
import { entryRow } from '../../ledger-row.ts';
import { printData, table } from '../../output.ts';

export const ledgerList: CommandDeclaration = defineCommand({
  path: 'ledger list',
  summary: 'show the newest entries, newest first',
  does: `Prints entries of the ledger, the newest first: what was asked and by whom, what was decided and by which row, how
    it ended, and every act of administration. An entry that was changed after it was written is marked TAMPERED.
    It only reads, beside a broker that runs or without one.`,
  flags: [
    { name: 'limit', value: 'number', what: 'how many', default: '50' },
    ...LEDGER_FILTER_FLAGS,
    { name: 'before', value: 'number', what: 'older than the entry of this number' },
  ],
  settings: ['data'],
  exits: { yes: 'the entries were printed; there may be none that match' },
  examples: [
    { wish: 'See what was refused lately, and why', line: 'seneschal ledger list --kind call.refused --limit 10' },
    {
      wish: 'See what one agent has done since a certain time',
      line: 'seneschal ledger list --agent agent:demo --since 2026-11-23T12:00:00Z',
    },
    { wish: 'Hand the newest entries to a program', line: 'seneschal ledger list --output json' },
  ],
  run: ({ flags, settings, output }) => {
    printData(listLedger(settings(), flags), output, (shown) => table(shown.map(entryRow)));
    return EXIT.yes;
  },
});
