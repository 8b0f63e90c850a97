import { showLedgerCall } from '../../../app/queries/ledger.ts';
import type { CallEntryView } from '../../../ledger/list-entries.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { ledgerEntryCells } from '../../format/ledger-entry.ts';
import { type CommandDefinition, defineCommand, EXAMPLE_CALL } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const ledgerShow: CommandDefinition = defineCommand({
  path: 'ledger show',
  summary: 'show the recorded entries of one call',
  description: `Prints each entry of one call in full, oldest first, with its arguments and result if they are kept. The id of a call
    is the \`decisionId\` in the reply to the agent, and the last word of a row of \`seneschal ledger list\`. It only reads
    the ledger; a broker may run at the same time.`,
  arguments: [{ name: 'call', description: 'the id of the call, such as the `decisionId` of a refusal' }],
  settings: ['data'],
  exitCodes: {
    yes: 'the call was printed',
    failed: 'the ledger has no such call, or a disk, a socket or another process failed',
  },
  examples: [
    { title: 'See everything that was recorded about a refusal', line: `seneschal ledger show ${EXAMPLE_CALL}` },
  ],
  run: ({ args: { call }, settings, output }) => {
    printData(showLedgerCall(settings(), call), output, (entries) => entries.map(entryText).join('\n\n'));
    return EXIT.yes;
  },
});

function entryText(view: CallEntryView): string {
  const head = ledgerEntryCells(view).join('  ');
  return `${escapeControlCharacters(head)}\n${JSON.stringify({ entry: view.entry, payload: view.payload }, null, 2)}`;
}
