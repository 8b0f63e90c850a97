// Writes the reference pages that are made from code.
import { writeFileSync } from 'node:fs';
import { reasonsPage } from '../src/app/reasons-page.ts';
import { COMMANDS, NOUNS } from '../src/cli/command-list.ts';
import { commandsPage, settingsPage } from '../src/cli/reference-pages.ts';

const PAGES = {
  'cli.md': commandsPage(COMMANDS, NOUNS),
  'reasons.md': reasonsPage(),
  'settings.md': settingsPage(COMMANDS),
};

for (const [name, text] of Object.entries(PAGES)) {
  writeFileSync(new URL(`../docs/reference/${name}`, import.meta.url), text);
}
