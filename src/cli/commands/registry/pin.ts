import { isJsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData } from '../../framework/output.ts';

export const registryPin: CommandDefinition = defineCommand({
  path: 'registry pin',
  summary: 'pin the current definitions of tools: writes registry.lock',
  description: `Discovers the tools of the servers, writes their current definitions into registry.lock, and prints which were pinned
    and which were removed. From then on exactly these definitions can be called. Review \`seneschal registry diff\`
    first: a pin means that you trust the definition. The ledger records it.`,
  arguments: [
    { name: 'server', description: 'only this server, such as `files`', optional: true },
    { name: 'tool', description: 'only this tool of the server', optional: true },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'registry.lock has the current definitions' },
  examples: [
    { title: 'Pin one tool that has changed', line: 'seneschal registry pin files read_text_file' },
    { title: 'Pin every tool of every server', line: 'seneschal registry pin' },
  ],
  run: async ({ args, settings, output }) => {
    printData(await sendAdminRequest(settings(), 'registry.pin', { ...args }), output, pinText);
    return EXIT.yes;
  },
});

function pinText(data: JsonValue): string {
  const names = (key: string): readonly JsonValue[] => {
    const list = isJsonObject(data) ? data[key] : undefined;
    return Array.isArray(list) ? list : [];
  };
  return [
    ...names('pinned').map((id) => escapeControlCharacters(`pinned ${cellOf(id)}`)),
    ...names('removed').map((id) => escapeControlCharacters(`removed ${cellOf(id)}`)),
    ...objectsOf(data, 'quarantined').map(({ id, reason }) =>
      escapeControlCharacters(`not pinned ${cellOf(id)}: ${cellOf(reason)}`),
    ),
  ].join('\n');
}
