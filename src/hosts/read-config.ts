import type { Node } from 'jsonc-parser';
import type { Problem } from '../domain/problem.ts';
import type { ConfiguredServer } from './found-server.ts';
import type { ValueContext } from './found-text.ts';
import {
  type JsonDocument,
  nodeAt,
  parseJsonDocument,
  propertiesOf,
  propertyOf,
  repeatedKeys,
} from './json-document.ts';
import type { ConfigLocation } from './known-hosts.ts';
import { type EntryContext, readEntry } from './read-entry.ts';
import { isManifest, readManifest } from './read-manifest.ts';
import type { ReadContext, ReadResult } from './reading.ts';

/**
 * Reads the servers of one place of a known host. A file without the map of servers holds none and is in order: hosts
 * keep other things in theirs too.
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

/** The names of all entries of one place, also of those that cannot be used; none where the file is not JSON. */
export function serverNames(location: ConfigLocation, text: string): readonly string[] {
  const document = parseJsonDocument(location.file, text);
  const map = 'file' in document ? nodeAt(document.root, location.path) : undefined;
  return map === undefined ? [] : propertiesOf(map).map(({ name }) => name);
}

/**
 * Reads the servers of a file of unknown origin: `mcpServers`, `servers` with `inputs`, both also within `mcp`, the
 * entries of `projects`, or one `server.json` of the MCP registry.
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
  const message = 'no servers are written here in a form that is known';
  const hint = 'servers are read from `mcpServers`, from `servers`, or from a `server.json` of the MCP registry';
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
    const message = 'the servers are no object that holds them by name';
    const hint = 'write `{ "name": { "command": "…" } }`';
    problems.push({ code: 'hosts-shape-unknown', at: document.at(map), message, hint });
    return [];
  }
  for (const { name, key } of repeatedKeys(map)) {
    const message = `the server \`${name}\` is written twice`;
    const hint = 'delete one of the two; the last one was read';
    problems.push({ code: 'hosts-duplicate-key', at: document.at(key), message, hint, severity: 'warning' });
  }
  return propertiesOf(map).flatMap((entry) => readEntry(entry, context) ?? []);
}

/** The inputs that VS Code asks the person for, by id. */
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
