import type { Command } from 'commander';
import { type ListQuestion, listLedger, showLedgerCall } from '../../app/ledger-questions.ts';
import type { ShownActOfCall, ShownEntry } from '../../ledger/query.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { printData, table } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';

/** `ledger list`, `ledger show`: beside a running daemon or without one; they only read. */
export function registerLedger(program: Command): void {
  const ledger = program.command('ledger').description('the book of what was asked, decided and done');
  outputFlag(settingsFlags(ledger.command('list'), ['data']))
    .description('the newest entries, newest first')
    .option('--limit <number>', 'how many', '50')
    .option('--agent <agent>', 'only of this agent')
    .option('--kind <kind>', 'only of this kind, such as `call.refused`')
    .option('--call <id>', 'only of this call')
    .option('--since <time>', 'made at this time or later, as ISO 8601')
    .option('--before <number>', 'older than the entry of this number')
    .action((flags: CommonFlags & Omit<ListQuestion, 'data'>) => {
      const entries = listLedger(settingsOf(flags), flags);
      printData(entries, flags.output, (shown) => table(shown.map(entryRow)));
    });
  outputFlag(settingsFlags(ledger.command('show'), ['data']))
    .description('everything that is recorded of one call')
    .argument('<call>', 'the id of the call: the `decisionId` of a refusal')
    .action((callId: string, flags: CommonFlags) => {
      printData(showLedgerCall(settingsOf(flags), callId), flags.output, (acts) => acts.map(actText).join('\n\n'));
    });
}

function entryRow({ seq, entry, untouched }: ShownEntry): readonly string[] {
  if (!entry) return [`${seq}`, '', 'not an entry', '', 'TAMPERED'];
  const time = new Date(entry.atMs).toISOString();
  return [`${seq}`, time, entry.kind, entry.principal, what(entry), untouched ? '' : 'TAMPERED'];
}

function what(entry: NonNullable<ShownEntry['entry']>): string {
  switch (entry.kind) {
    case 'call.admitted':
      return `${entry.target.id} ${entry.callId}`;
    case 'call.refused': {
      const target = 'exposedName' in entry.target ? `"${entry.target.exposedName}"` : entry.target.id;
      return `${target} ${entry.reason}${entry.rule === undefined ? '' : ` by ${entry.rule}`} ${entry.callId}`;
    }
    case 'call.closed':
      return `${entry.target} ${entry.outcome}${entry.reason === undefined ? '' : ` ${entry.reason}`}${entry.inDoubt ? ' in doubt' : ''} ${entry.durationMs} ms ${entry.callId}`;
    case 'call.in-doubt':
      return `${entry.target} ${entry.callId}`;
    case 'call.refusals-summed':
      return `${entry.count} more ${entry.reason ?? entry.of}${entry.rule === undefined ? '' : ` by ${entry.rule}`}`;
    case 'message.refused':
      return `${entry.code} ${entry.problem}`;
    default:
      return JSON.stringify(entry.detail);
  }
}

function actText(act: ShownActOfCall): string {
  const head = entryRow(act).join('  ');
  return `${visibleText(head)}\n${JSON.stringify({ entry: act.entry, payload: act.payload }, null, 2)}`;
}
