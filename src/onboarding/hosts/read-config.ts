import type { Node } from 'jsonc-parser';
import type { Problem } from '../../domain/problem.ts';
import {
  type JsonDocument,
  type JsonProperty,
  type LocatedText,
  nodeAt,
  parseJsonDocument,
  propertiesOf,
  propertyOf,
  type ReportInvalid,
  readBoolean,
  readText,
  readTextMap,
  readTexts,
  repeatedKeys,
} from '../jsonc/json-document.ts';
import type {
  ConfiguredServer,
  ConfiguredTransport,
  ConfigValue,
  ReadContext,
  ReadResult,
} from './configured-server.ts';
import type { ConfigLocation } from './known-hosts.ts';
import { isManifest, readManifest } from './read-manifest.ts';
import { resolveArgument, resolveValue, type ValueContext } from './resolve-value.ts';

/**
 * Reads the servers of one config location of a known host. A file without the map of servers is valid and has none:
 * hosts keep other settings in the same file.
 */
export function readConfigLocation(location: ConfigLocation, text: string, context: ReadContext): ReadResult {
  const document = parseJsonDocument(location.file, text);
  if (!('file' in document)) return { servers: [], problems: document };
  const map = nodeAt(document.root, location.path);
  const { untypedUrl } = location;
  const maps = map === undefined ? [] : [map];
  const result = readServerMaps(document, maps, untypedUrl === undefined ? context : { ...context, untypedUrl });
  const servers = result.servers.map((server) => ({ ...server, host: location.host, scope: location.scope }));
  return { ...result, servers };
}

/** Lists the names of all entries at one location, including unusable ones; empty if the file is not JSON. */
export function serverNames(location: ConfigLocation, text: string): readonly string[] {
  const document = parseJsonDocument(location.file, text);
  const map = 'file' in document ? nodeAt(document.root, location.path) : undefined;
  return map === undefined ? [] : propertiesOf(map).map(({ name }) => name);
}

/**
 * Reads the servers of any supported file: `mcpServers`, `servers` with `inputs`, both also inside `mcp` or the entries
 * of `projects`, or one `server.json` of the MCP registry.
 */
export function readServerFile(file: string, text: string, context: ReadContext): ReadResult {
  const document = parseJsonDocument(file, text);
  if (!('file' in document)) return { servers: [], problems: document };
  if (isManifest(document.root)) return readManifest(document, document.root, context);
  const projects = propertyOf(document.root, 'projects')?.value;
  const roots = [
    document.root,
    propertyOf(document.root, 'mcp')?.value,
    ...(projects === undefined ? [] : propertiesOf(projects).map(({ value }) => value)),
  ];
  const maps = roots.flatMap((root) => [nodeAt(root, ['mcpServers']), nodeAt(root, ['servers'])]);
  const existingMaps = maps.filter((map) => map !== undefined);
  if (existingMaps.length > 0) return readServerMaps(document, existingMaps, context);
  const at = document.root === undefined ? file : document.at(document.root);
  const message = 'the file has no servers in a known format';
  const hint = 'known are the keys `mcpServers` and `servers`, and a `server.json` of the MCP registry';
  return { servers: [], problems: [{ code: 'hosts-shape-unknown', at, message, hint }] };
}

function readServerMaps(
  document: JsonDocument,
  maps: readonly Node[],
  { untypedUrl = 'http', ...context }: ReadContext & Partial<Pick<EntryContext, 'untypedUrl'>>,
): ReadResult {
  const problems: Problem[] = [];
  const valueContext = { ...context, inputs: declaredInputs(document.root) };
  const servers = maps.flatMap((map) => readServerMap(map, { document, values: valueContext, problems, untypedUrl }));
  return { servers, problems };
}

function readServerMap(map: Node, context: EntryContext): readonly ConfiguredServer[] {
  const { document, problems } = context;
  if (map.type !== 'object') {
    const message = 'the servers are not an object';
    const hint = 'write each server under its name: `{ "name": { "command": "…" } }`';
    problems.push({ code: 'hosts-shape-unknown', at: document.at(map), message, hint });
    return [];
  }
  for (const { name, key } of repeatedKeys(map)) {
    const message = `the server \`${name}\` occurs twice; the last one is used`;
    const hint = 'delete one of the two';
    problems.push({ code: 'hosts-duplicate-key', at: document.at(key), message, hint, severity: 'warning' });
  }
  return propertiesOf(map).flatMap((entry) => readEntry(entry, context) ?? []);
}

/** Reads the inputs that VS Code prompts for, by id. */
function declaredInputs(root: Node | undefined): ValueContext['inputs'] {
  const list = nodeAt(root, ['inputs']) ?? nodeAt(root, ['mcp', 'inputs']);
  const items = list?.type === 'array' ? (list.children ?? []) : [];
  return new Map(
    items.flatMap((item) => {
      const id = propertyOf(item, 'id')?.value;
      if (id?.type !== 'string') return [];
      const description = propertyOf(item, 'description')?.value;
      const isSecret = propertyOf(item, 'password')?.value.value === true;
      const details = description?.type === 'string' ? { description: String(description.value) } : {};
      return [[String(id.value), { isSecret, ...details }] as const];
    }),
  );
}

/** Context in which the entries of one file are read. */
export interface EntryContext {
  readonly document: JsonDocument;
  readonly values: Omit<ValueContext, 'server' | 'onUnknownVariable'>;
  readonly problems: Problem[];
  /** Transport of an entry with a `url` and no `type`. */
  readonly untypedUrl: 'http' | 'sse';
}

/** Reads one entry of `mcpServers` or `servers`; undefined, with at least one problem, if it cannot be used. */
export function readEntry(entry: JsonProperty, context: EntryContext): ConfiguredServer | undefined {
  const { document, problems } = context;
  const report: ReportInvalid = (node, message, hint) => {
    problems.push({
      code: 'hosts-entry-invalid',
      at: document.at(node),
      message: withServerName(entry, message),
      hint,
    });
    return undefined;
  };
  if (entry.value.type !== 'object') {
    return report(
      entry.value,
      'the entry is not an object',
      'write an object with `command` or `url`, or delete the entry',
    );
  }
  for (const repeated of repeatedKeys(entry.value)) {
    const message = withServerName(entry, `the key \`${repeated.name}\` occurs twice; the last one is used`);
    const hint = 'delete one of the two';
    problems.push({ code: 'hosts-duplicate-key', at: document.at(repeated.key), message, hint, severity: 'warning' });
  }
  // Cline's command line nests the transport in an object of its own.
  const nested = propertyOf(entry.value, 'transport')?.value;
  const transportEntry = nested?.type === 'object' ? { ...entry, value: nested } : entry;
  const transport = readTransport(transportEntry, context, report);
  if (transport === undefined) return undefined;
  const disabled = readBoolean(entry.value, 'disabled', report);
  const enabled = readBoolean(entry.value, 'enabled', report);
  if (disabled === 'invalid' || enabled === 'invalid') return undefined;
  const isDisabled = disabled === true || enabled === false;
  return { name: entry.name, transport, isDisabled, at: document.at(entry.key) };
}

function withServerName({ name }: JsonProperty, message: string): string {
  return `server \`${name}\`: ${message}`;
}

function readTransport(
  entry: JsonProperty,
  context: EntryContext,
  report: ReportInvalid,
): ConfiguredTransport | undefined {
  const node = entry.value;
  const type = readText(node, 'type', report);
  const url = readText(node, 'url', report);
  const command = readText(node, 'command', report);
  if (type === 'invalid' || url === 'invalid' || command === 'invalid') return undefined;
  const kind = transportKind(type?.text, url?.text, context.untypedUrl);
  if (kind === 'unsupported') {
    const unsupportedNode = propertyOf(node, type === undefined ? 'url' : 'type')?.value ?? node;
    const message = withServerName(entry, `the transport \`${type?.text ?? 'sse'}\` is not supported`);
    const hint = 'use the streamable HTTP url of the server, which often ends with `/mcp`';
    context.problems.push({
      code: 'hosts-transport-unsupported',
      at: context.document.at(unsupportedNode),
      message,
      hint,
    });
    return undefined;
  }
  if (kind === 'stdio' && command !== undefined) return readStdio(entry, { ...context, report }, command);
  if (kind === 'http' && url !== undefined) return readHttp(entry, { ...context, report }, url);
  const missing = kind === 'http' ? '`url` is' : type === undefined ? '`command` and `url` are' : '`command` is';
  return report(entry.key, `${missing} missing`, 'write the `command` that starts the server, or its `url`');
}

/** Without `type`, a `command` means stdio and a `url` the host's default; a path that ends in `/sse` means SSE. */
function transportKind(
  type: string | undefined,
  url: string | undefined,
  untypedUrl: 'http' | 'sse',
): 'stdio' | 'http' | 'unsupported' {
  if (type !== undefined) {
    if (type === 'stdio') return 'stdio';
    return /^(?:http|streamable-?http)$/i.test(type) ? 'http' : 'unsupported';
  }
  if (url === undefined) return 'stdio';
  return untypedUrl === 'sse' || /\/sse\/?(?:\?|$)/.test(url) ? 'unsupported' : 'http';
}

type EntryReader = EntryContext & { readonly report: ReportInvalid };

function readStdio(entry: JsonProperty, reader: EntryReader, command: LocatedText): ConfiguredTransport | undefined {
  const { report } = reader;
  const args = readTexts(entry.value, 'args', report);
  const env = readTextMap(entry.value, 'env', report);
  const cwd = readText(entry.value, 'cwd', report);
  if (args === 'invalid' || env === 'invalid' || cwd === 'invalid') return undefined;
  warnAboutEnvFile(entry, reader);
  return {
    type: 'stdio',
    command: readArgument(entry, reader, command),
    args: args.map((argument, index) => readArgument(entry, reader, argument, args[index - 1]?.text)),
    env: resolveValues(entry, reader, env),
    ...(cwd === undefined ? {} : { cwd: readArgument(entry, reader, cwd) }),
  };
}

function readHttp(entry: JsonProperty, reader: EntryReader, url: LocatedText): ConfiguredTransport | undefined {
  const headers = readTextMap(entry.value, 'headers', reader.report);
  if (headers === 'invalid') return undefined;
  return { type: 'http', url: readArgument(entry, reader, url), headers: resolveValues(entry, reader, headers) };
}

function readArgument(entry: JsonProperty, reader: EntryReader, located: LocatedText, previous?: string): ConfigValue {
  const value = resolveArgument(located.text, valueContext(entry, reader, located.node), previous);
  const variable = value.variables.find(({ origin }) => origin === 'clear-text');
  if (variable !== undefined) {
    reader.problems.push({
      code: 'hosts-secret-in-arguments',
      at: reader.document.at(located.node),
      message: withServerName(entry, 'a secret is written in clear text where every user of the machine can read it'),
      hint: `pass it in \`env\` or \`headers\` as \`\${env:${variable.name}}\`, and revoke the exposed secret`,
      severity: 'warning',
    });
  }
  return value;
}

function resolveValues(
  entry: JsonProperty,
  reader: EntryReader,
  texts: ReadonlyMap<string, LocatedText>,
): Readonly<Record<string, ConfigValue>> {
  const resolved = Array.from(texts, ([key, { text, node }]): [string, ConfigValue] => [
    key,
    resolveValue(key, text, valueContext(entry, reader, node)),
  ]);
  return Object.fromEntries(resolved);
}

function valueContext(entry: JsonProperty, { values, problems, document }: EntryReader, node: Node): ValueContext {
  const onUnknownVariable = (variable: string): void => {
    problems.push({
      code: 'hosts-variable-unknown',
      at: document.at(node),
      message: withServerName(entry, `only its own program can resolve \`\${${variable}}\``),
      hint: `write the value itself, or an environment variable as \`$\{env:NAME}\``,
      severity: 'warning',
    });
  };
  return { ...values, server: entry.name, onUnknownVariable };
}

function warnAboutEnvFile(entry: JsonProperty, { document, problems }: EntryReader): void {
  const envFile = propertyOf(entry.value, 'envFile');
  if (envFile === undefined) return;
  problems.push({
    code: 'hosts-variable-unknown',
    at: document.at(envFile.value),
    message: withServerName(entry, '`envFile` is not read'),
    hint: `list the variables that the server needs in \`env\`, as \`$\{env:NAME}\``,
    severity: 'warning',
  });
}
