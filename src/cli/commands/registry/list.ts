import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import { formatNanoUsd } from '../../../lib/nano-usd.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData, table } from '../../framework/output.ts';

export const registryList: CommandDefinition = defineCommand({
  path: 'registry list',
  summary: 'show every server and tool as it stands, after each server was asked',
  description: `Asks every server of the registry for its tools, and prints each server with its state and each tool with its
    status, the harm it can do, and what a call costs. A tool can be called when its status is active: its definition
    is the one that registry.lock holds. Where a broker runs it answers; where none does the servers are started for
    as long as the question takes. Of a virtual server it prints how much it shows, before any agent's policy, and
    what in its file does not hold. With --status it prints of every server how it is doing and nothing else: its state,
    its breaker, its era, the messages that it sent for nobody, and its error in full.`,
  flags: [{ name: 'status', description: 'print how each server is doing, its error in full' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the registry was read; what is wrong with a server stands in its row' },
  examples: [
    { title: 'See which tools there are, and which are blocked', line: 'seneschal registry list' },
    { title: 'See how each server is doing', line: 'seneschal registry list --status' },
    { title: 'Have the same for a program', line: 'seneschal registry list --output json' },
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

/** Why a server fails, since when, and what came of it, and what it said for nobody; nothing of one that does well. */
function failureText({ error, since, breaker, failures, droppedMessages }: JsonObject): string {
  const dropped = Number(droppedMessages ?? 0) > 0 ? [`${cellOf(droppedMessages)} messages dropped`] : [];
  if (error === undefined) return dropped.join('');
  const more = [`since ${cellOf(since)}`, `breaker ${cellOf(breaker)}`, `${cellOf(failures)} failures`, ...dropped];
  return `${cellOf(error)} (${more.join(', ')})`;
}
