import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import { formatNanoUsd } from '../../../lib/nano-usd.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData, table } from '../../framework/output.ts';

export const registryList: CommandDefinition = defineCommand({
  path: 'registry list',
  summary: 'list every server and tool with its current status',
  description: `Discovers the tools of every server of the registry, and prints each server with its state and each tool with its
    status, its risk and the cost of a call. Only an active tool can be called: its definition equals the one in
    registry.lock. If a broker runs, it answers; if none runs, the servers are started for a moment. For a virtual
    server it prints the number of features, before the policy of any agent, and the problems of its file.

    With --status it prints only the health of each server: its state, its breaker, its era, the number of messages that
    were dropped because no call or subscription expected them, and its error in full.`,
  flags: [{ name: 'status', description: 'print only the health of each server, with its error in full' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the registry was read; the row of a server shows its error' },
  examples: [
    { title: 'List tools, and see which are blocked', line: 'seneschal registry list' },
    { title: 'See the health of each server', line: 'seneschal registry list --status' },
    { title: 'Print the list as JSON', line: 'seneschal registry list --output json' },
  ],
  run: async ({ flags: { status }, settings, output }) => {
    const seen = await sendAdminRequest(settings(), 'registry.status', {});
    if (status) printData({ servers: objectsOf(seen, 'servers') }, output, serversText);
    else printData(seen, output, statusText);
    return EXIT.yes;
  },
});

const VIRTUAL_COLUMNS = ['VIRTUAL', 'PATH', 'TOOLS', 'PROMPTS', 'RESOURCES', 'TEMPLATES'];

function statusText(data: JsonValue): string {
  const servers = objectsOf(data, 'servers').map((server) => [
    cellOf(server.name),
    cellOf(server.status),
    cellOf(server.transport),
    cellOf(server.protocolVersion ?? '-'),
    failureText(server),
  ]);
  const tools = objectsOf(data, 'tools').map(({ id, status, risk, costNanoUsd, reason }) => [
    cellOf(id),
    cellOf(status),
    cellOf(risk),
    formatNanoUsd(Number(costNanoUsd)),
    cellOf(reason),
  ]);
  const virtual = objectsOf(data, 'virtual').map(({ name, path, tools: count, prompts, resources, templates }) =>
    [name, path, count, prompts, resources, templates].map(cellOf),
  );
  const findings = objectsOf(data, 'findings').map(({ server, message, at, hint }) =>
    escapeControlCharacters(
      `${cellOf(at ?? server)}: ${cellOf(message)}${hint === undefined ? '' : `; ${cellOf(hint)}`}`,
    ),
  );
  return [
    table([['SERVER', 'STATUS', 'TRANSPORT', 'PROTOCOL', ''], ...servers]),
    '',
    table([['TOOL', 'STATUS', 'RISK', 'USD', ''], ...tools]),
    ...(virtual.length > 0 ? ['', table([VIRTUAL_COLUMNS, ...virtual])] : []),
    ...(findings.length > 0 ? ['', ...findings] : []),
  ].join('\n');
}

function serversText(data: JsonValue): string {
  const servers = objectsOf(data, 'servers');
  const rows = servers.map(({ name, status, breaker, era, droppedMessages }) =>
    [name, status, breaker ?? '-', era ?? '-', droppedMessages ?? 0].map(cellOf),
  );
  const errors = servers.flatMap(({ name, error, since, failures }) =>
    error === undefined
      ? []
      : [
          escapeControlCharacters(
            `${cellOf(name)}: ${cellOf(error)}; since ${cellOf(since)}, ${cellOf(failures)} failures`,
          ),
        ],
  );
  const head = ['SERVER', 'STATUS', 'BREAKER', 'ERA', 'DROPPED'];
  return [table([head, ...rows]), ...(errors.length > 0 ? ['', ...errors] : [])].join('\n');
}

/** Error of a server with its time, breaker and failures, and the number of dropped messages; empty if it is healthy. */
function failureText({ error, since, breaker, failures, droppedMessages }: JsonObject): string {
  const dropped = Number(droppedMessages ?? 0) > 0 ? [`${cellOf(droppedMessages)} messages dropped`] : [];
  if (error === undefined) return dropped.join('');
  const more = [`since ${cellOf(since)}`, `breaker ${cellOf(breaker)}`, `${cellOf(failures)} failures`, ...dropped];
  return `${cellOf(error)} (${more.join(', ')})`;
}
