import { showLedgerCall } from '../../../app/queries/ledger.ts';
import type { CallEntryView } from '../../../ledger/list-entries.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { ledgerEntryCells } from '../../format/ledger-entry.ts';
import { type CommandDefinition, defineCommand, EXAMPLE_CALL } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const ledgerShow: CommandDefinition = defineCommand({
  path: 'ledger show',
  summary: 'show everything that is recorded of one call',
  description: `Prints each entry of one call in full, oldest first, with the arguments and the result as far as they are kept. The
    id stands in the reply that the agent got, as \`decisionId\`, and at the end of the rows of \`seneschal ledger list\`.
    It only reads, beside a broker that runs or without one.`,
  arguments: [{ name: 'call', description: 'the id of the call: the `decisionId` of a refusal' }],
  settings: ['data'],
  exitCodes: {
    yes: 'the call was printed',
    failed: 'no entry is of that call, or a disk, a socket or another process failed',
  },
  examples: [{ title: 'See all that was recorded of a refusal', line: `seneschal ledger show ${EXAMPLE_CALL}` }],
  run: ({ args: { call }, settings, output }) => {
    printData(showLedgerCall(settings(), call), output, (acts) => acts.map(actText).join('\n\n'));
    return EXIT.yes;
  },
});

function actText(act: CallEntryView): string {
  const head = ledgerEntryCells(act).join('  ');
  return `${escapeControlCharacters(head)}\n${JSON.stringify({ entry: act.entry, payload: act.payload }, null, 2)}`;
}
