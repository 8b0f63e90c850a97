import type { JsonValue } from '../../../lib/json/json.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { type DefinitionChange, formatDiff } from '../../../registry/pins/definition-diff.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData } from '../../framework/output.ts';

export const registryDiff: CommandDefinition = defineCommand({
  path: 'registry diff',
  summary: 'show what was agreed and what is, of every tool that differs',
  description: `Asks the servers for their tools, and prints each tool whose definition is not the one that registry.lock holds:
    new ones, those that are gone, and those that have drifted, with each field that changed. Silence means that nothing
    differs. A tool that differs is blocked until \`seneschal registry pin\` agrees to it.`,
  arguments: [
    { name: 'server', description: 'only this server, such as `files`', optional: true },
    { name: 'tool', description: 'only this tool of it', optional: true },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'nothing differs',
    failed: 'a server could not be asked, or a disk, a socket or another process failed',
    refused: 'something differs',
  },
  examples: [
    { title: 'See whether any tool is other than what was agreed to', line: 'seneschal registry diff' },
    { title: 'Ask about one tool of one server', line: 'seneschal registry diff files read_text_file' },
  ],
  run: async ({ args, settings, output }) => {
    const differences = await sendAdminRequest(settings(), 'registry.diff', { ...args });
    printData(differences, output, diffText);
    if (objectsOf(differences, 'tools').length > 0) return EXIT.refused;
    // What could not be asked cannot be said to be as it was agreed.
    return objectsOf(differences, 'failed').length > 0 ? EXIT.failed : EXIT.yes;
  },
});

function diffText(data: JsonValue): string {
  const failed = objectsOf(data, 'failed').map(({ server, error }) =>
    escapeControlCharacters(`${cellOf(server)} could not be asked: ${cellOf(error)}`),
  );
  return [...failed, ...differenceTexts(data)].join('\n');
}

function differenceTexts(data: JsonValue): readonly string[] {
  return objectsOf(data, 'tools').map(({ id, status, reason, changes }) => {
    // `as`: these are the changes that the broker made of two definitions.
    const lines = formatDiff((Array.isArray(changes) ? changes : []) as unknown as readonly DefinitionChange[]);
    return (
      escapeControlCharacters(`${cellOf(id)}: ${cellOf(status)}${reason === undefined ? '' : ` (${cellOf(reason)})`}`) +
      (lines === '' ? '' : `\n${lines}`)
    );
  });
}
