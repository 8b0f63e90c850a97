import type { JsonValue } from '../../../lib/json/json.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { type DefinitionChange, formatDiff } from '../../../registry/pins/definition.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData } from '../../framework/output.ts';

export const registryDiff: CommandDefinition = defineCommand({
  path: 'registry diff',
  summary: 'show every tool that differs from its pinned definition',
  description: `Discovers the tools of the servers, and prints each tool whose definition differs from the one in registry.lock: new
    tools, removed tools, and drifted tools with each field that changed. It prints nothing if nothing differs. A tool
    that differs is blocked until \`seneschal registry pin\` pins it.`,
  arguments: [
    { name: 'server', description: 'only this server, such as `files`', optional: true },
    { name: 'tool', description: 'only this tool of the server', optional: true },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'nothing differs',
    failed: 'a server could not be reached, or a disk, a socket or another process failed',
    refused: 'at least one tool differs',
  },
  examples: [
    { title: 'See whether any tool differs from its pin', line: 'seneschal registry diff' },
    { title: 'Compare one tool of one server', line: 'seneschal registry diff files read_text_file' },
  ],
  run: async ({ args, settings, output }) => {
    const differences = await sendAdminRequest(settings(), 'registry.diff', { ...args });
    printData(differences, output, diffText);
    if (objectsOf(differences, 'tools').length > 0) return EXIT.refused;
    // A server that could not be reached cannot be called unchanged.
    return objectsOf(differences, 'failed').length > 0 ? EXIT.failed : EXIT.yes;
  },
});

function diffText(data: JsonValue): string {
  const failed = objectsOf(data, 'failed').map(({ server, error }) =>
    escapeControlCharacters(`${cellOf(server)} could not be reached: ${cellOf(error)}`),
  );
  return [...failed, ...differenceTexts(data)].join('\n');
}

function differenceTexts(data: JsonValue): readonly string[] {
  return objectsOf(data, 'tools').map(({ id, status, reason, changes }) => {
    // `as`: the broker computed these changes.
    const lines = formatDiff((Array.isArray(changes) ? changes : []) as unknown as readonly DefinitionChange[]);
    return (
      escapeControlCharacters(`${cellOf(id)}: ${cellOf(status)}${reason === undefined ? '' : ` (${cellOf(reason)})`}`) +
      (lines === '' ? '' : `\n${lines}`)
    );
  });
}
