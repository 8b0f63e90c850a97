import { getNodeValue, type Node } from 'jsonc-parser';
import type { Problem } from '../../domain/problem.ts';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { ConfigLocation } from '../hosts/known-hosts.ts';
import {
  type JsonDocument,
  nodeAt,
  parseJsonDocument,
  propertiesOf,
  propertyOf,
  repeatedKeys,
} from '../jsonc/json-document.ts';
import { appendJsonItem, removeJsonValue, setJsonValue } from '../jsonc/set-json-value.ts';
import { ENTRY_NAME, type HostEntry } from './host-entry.ts';

/** A config file after the edit. */
export interface EditedConfig {
  readonly text: string;
  /** Names of the servers that the edit removed. */
  readonly removed: readonly string[];
}

/** Adds the broker's entry to the text of a host's config file. A text that has the entry is returned unchanged. */
export function editConfig(
  text: string,
  location: ConfigLocation,
  { entry, replaceServers }: { readonly entry: HostEntry; readonly replaceServers: boolean },
): EditedConfig | readonly Problem[] {
  const document = parseJsonDocument(location.file, text);
  if (!('file' in document)) return document;
  const problems = [...shapeProblems(document, location.path), ...inputProblems(document, entry)];
  if (problems.length > 0) return problems;
  const map = nodeAt(document.root, location.path);
  const others = map === undefined ? [] : propertiesOf(map).map(({ name }) => name);
  const removed = replaceServers ? others.filter((name) => name !== ENTRY_NAME) : [];
  const path = [...location.path, ENTRY_NAME];
  let edited = text;
  if (!isSameValue(nodeAt(document.root, path), entry.entry)) edited = setJsonValue(edited, path, entry.entry);
  for (const name of removed) edited = removeJsonValue(edited, [...location.path, name]);
  if (entry.input !== undefined) edited = withInput(edited, document, entry.input);
  return { text: edited, removed };
}

function withInput(text: string, document: JsonDocument, input: JsonObject & { readonly id: string }): string {
  const inputs = nodeAt(document.root, ['inputs'])?.children ?? [];
  const exists = inputs.some((item) => propertyOf(item, 'id')?.value.value === input.id);
  return exists ? text : appendJsonItem(text, ['inputs'], input);
}

function isSameValue(node: Node | undefined, value: JsonValue): boolean {
  // `as`: the value of a node that was parsed from JSON is a JSON value.
  return node !== undefined && canonicalJson(getNodeValue(node) as JsonValue) === canonicalJson(value);
}

/** Problems that make an edit unsafe: a value that is not an object, and keys that readers may resolve differently. */
function shapeProblems(document: JsonDocument, path: readonly string[]): readonly Problem[] {
  const problems: Problem[] = [];
  for (const depth of [0, ...path.map((_, index) => index + 1)]) {
    const node = nodeAt(document.root, path.slice(0, depth));
    if (node === undefined) break;
    if (node.type !== 'object') {
      const what = depth === 0 ? 'the file' : `\`${path[depth - 1] ?? ''}\``;
      const hint = 'fix it by hand, or move the file away to start a new one';
      return [{ code: 'hosts-shape-unknown', at: document.at(node), message: `${what} is not an object`, hint }];
    }
    for (const { name, key } of repeatedKeys(node)) {
      const message = `the key \`${name}\` occurs twice, and it is unclear which of the two its program uses`;
      problems.push({ code: 'hosts-duplicate-key', at: document.at(key), message, hint: 'delete one of the two' });
    }
  }
  return problems;
}

function inputProblems(document: JsonDocument, { input }: HostEntry): readonly Problem[] {
  const inputs = nodeAt(document.root, ['inputs']);
  if (input === undefined || inputs === undefined || inputs.type === 'array') return [];
  const hint = 'fix it by hand: VS Code expects a list there';
  return [{ code: 'hosts-shape-unknown', at: document.at(inputs), message: '`inputs` is not a list', hint }];
}
