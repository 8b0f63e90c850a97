import type { Command } from 'commander';
import { administer } from '../../app/control.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { formatNanoUsd } from '../../lib/money.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { type DefinitionChange, formatDiff } from '../../registry/diff.ts';
import { coreOptions } from '../core-options.ts';
import { EXIT } from '../exit-codes.ts';
import { cellOf, printData, table } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';

const PLACES = ['registry', 'policies', 'data'] as const;

/** `registry list`, `registry diff`, `registry pin`. */
export function registerRegistry(program: Command): void {
  const registry = program.command('registry').description('the servers and tools there are');
  outputFlag(settingsFlags(registry.command('list'), PLACES))
    .description('every server and tool as it stands, after each server was asked')
    .action(async (flags: CommonFlags) => {
      printData(await act('registry.status', {}, flags), flags.output, statusText);
    });
  outputFlag(settingsFlags(registry.command('diff'), PLACES))
    .description('what was agreed and what is, of every tool that differs')
    .argument('[server]', 'only this server')
    .argument('[tool]', 'only this tool')
    .action(async (server: string | undefined, tool: string | undefined, flags: CommonFlags) => {
      const differences = await act('registry.diff', selectionOf(server, tool), flags);
      printData(differences, flags.output, diffText);
      // What could not be asked cannot be said to be as it was agreed.
      if (listOf(differences, 'tools').length > 0) process.exitCode = EXIT.refused;
      else if (listOf(differences, 'failed').length > 0) process.exitCode = EXIT.failed;
    });
  outputFlag(settingsFlags(registry.command('pin'), PLACES))
    .description('agree to the definitions that servers have now: writes registry.lock')
    .argument('[server]', 'only this server')
    .argument('[tool]', 'only this tool')
    .action(async (server: string | undefined, tool: string | undefined, flags: CommonFlags) => {
      printData(await act('registry.pin', selectionOf(server, tool), flags), flags.output, pinText);
    });
}

function act(method: string, params: JsonObject, flags: CommonFlags): Promise<JsonValue> {
  return administer({ method, params }, settingsOf(flags), coreOptions());
}

function selectionOf(server: string | undefined, tool: string | undefined): JsonObject {
  return { ...(server === undefined ? {} : { server }), ...(tool === undefined ? {} : { tool }) };
}

function listOf(data: JsonValue, key: string): readonly JsonObject[] {
  const list = isJsonObject(data) ? data[key] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function statusText(data: JsonValue): string {
  const servers = listOf(data, 'servers').map((server) => [
    cellOf(server.name),
    cellOf(server.status),
    cellOf(server.transport),
    cellOf(server.protocolVersion ?? '-'),
    troubleOf(server),
  ]);
  const tools = listOf(data, 'tools').map(({ id, status, risk, costNanoUsd, reason }) => [
    cellOf(id),
    cellOf(status),
    cellOf(risk),
    formatNanoUsd(Number(costNanoUsd)),
    cellOf(reason),
  ]);
  const findings = listOf(data, 'findings').map(({ server, message }) =>
    visibleText(`${cellOf(server)}: ${cellOf(message)}`),
  );
  return [
    table([['SERVER', 'STATUS', 'TRANSPORT', 'PROTOCOL', ''], ...servers]),
    '',
    table([['TOOL', 'STATUS', 'RISK', 'USD', ''], ...tools]),
    ...(findings.length > 0 ? ['', ...findings] : []),
  ].join('\n');
}

/** Why a server fails, since when, and what came of it; nothing of one that does well. */
function troubleOf({ error, since, breaker, failures }: JsonObject): string {
  if (error === undefined) return '';
  const more = [`since ${cellOf(since)}`, `breaker ${cellOf(breaker)}`, `${cellOf(failures)} failures`];
  return visibleText(`${cellOf(error)} (${more.join(', ')})`);
}

function diffText(data: JsonValue): string {
  const failed = listOf(data, 'failed').map(({ server, error }) =>
    visibleText(`${cellOf(server)} could not be asked: ${cellOf(error)}`),
  );
  return [...failed, ...differenceTexts(data)].join('\n');
}

function differenceTexts(data: JsonValue): readonly string[] {
  return listOf(data, 'tools').map(({ id, status, reason, changes }) => {
    // `as`: these are the changes that the broker made of two definitions.
    const lines = formatDiff((Array.isArray(changes) ? changes : []) as unknown as readonly DefinitionChange[]);
    return (
      visibleText(`${cellOf(id)}: ${cellOf(status)}${reason === undefined ? '' : ` (${cellOf(reason)})`}`) +
      (lines === '' ? '' : `\n${lines}`)
    );
  });
}

function pinText(data: JsonValue): string {
  const names = (key: string): readonly JsonValue[] => {
    const list = isJsonObject(data) ? data[key] : undefined;
    return Array.isArray(list) ? list : [];
  };
  return [
    ...names('pinned').map((id) => visibleText(`pinned ${cellOf(id)}`)),
    ...names('removed').map((id) => visibleText(`removed ${cellOf(id)}`)),
    ...listOf(data, 'quarantined').map(({ id, reason }) => visibleText(`not pinned ${cellOf(id)}: ${cellOf(reason)}`)),
  ].join('\n');
}
