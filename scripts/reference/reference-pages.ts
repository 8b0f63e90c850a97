import { COMMANDS, NOUNS } from '../../src/cli/commands.ts';
import { commandsPage, settingsPage } from './commands-page.ts';
import { ledgerPage } from './ledger-page.ts';
import { limitsPage } from './limits-page.ts';
import { logEventsPage } from './log-events-page.ts';
import { mcpPage } from './mcp-page.ts';
import { policyPage } from './policy-page.ts';
import { reasonsPage } from './reasons-page.ts';
import { registryPage } from './registry-page.ts';

/** Every page that is generated from code: text by path. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/cli.md', commandsPage(COMMANDS, NOUNS)],
    ['docs/reference/ledger-entry.md', ledgerPage()],
    ['docs/reference/limits.md', limitsPage()],
    ['docs/reference/log-events.md', logEventsPage()],
    ['docs/reference/mcp.md', mcpPage()],
    ['docs/reference/policy.md', policyPage()],
    ['docs/reference/reasons.md', reasonsPage()],
    ['docs/reference/registry.md', registryPage()],
    ['docs/reference/settings.md', settingsPage()],
  ]);
}
