import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Problem } from '../../domain/problem.ts';

/** A JSON file, with or without comments and trailing commas, that still knows where everything stood. */
export interface JsonDocument {
  readonly file: string;
  readonly text: string;
  /** Undefined where the text holds nothing but space and comments. */
  readonly root: Node | undefined;
  /** `file:line:column` (from 1) of a node. */
  readonly at: (node: Node) => string;
}

/** One key of an object with what it leads to. */
export interface JsonProperty {
  readonly name: string;
  readonly key: Node;
  readonly value: Node;
}

/** Deepest nesting that is read: the parser recurses, and an exhausted stack would end the process. */
const MAX_DEPTH = 100;

/** One broken bracket makes many complaints; the first of them say it. */
const MAX_PROBLEMS = 3;

/** Parses JSON with comments and trailing commas, or says where it is none. Problems quote nothing of the text. */
export function parseJsonDocument(file: string, text: string): JsonDocument | readonly Problem[] {
  const positionAt = positionIn(file, text);
  const deepOffset = excessiveDepthOffset(text);
  if (deepOffset !== undefined) {
    const message = 'lists and objects are nested too deeply to be read';
    return [{ code: 'hosts-syntax', at: positionAt(deepOffset), message, hint: `nest at most ${MAX_DEPTH} levels` }];
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (errors.length > 0) {
    return errors.slice(0, MAX_PROBLEMS).map(({ error, offset }) => ({
      code: 'hosts-syntax',
      at: positionAt(offset),
      message: `this is not JSON: ${SYNTAX_MESSAGES[error] ?? 'something stands where nothing may stand'}`,
      hint: 'mend the file at that place; its own program cannot read it either',
    }));
  }
  return { file, text, root, at: (node: Node) => positionAt(node.offset) };
}

/** The properties of an object; of a key that is written twice the last one, as every reader of JSON takes it. */
export function propertiesOf(node: Node): readonly JsonProperty[] {
  const byName = new Map(allProperties(node).map((property) => [property.name, property]));
  return [...byName.values()];
}

/** The property of that name; undefined where the node is no object or has none. */
export function propertyOf(node: Node | undefined, name: string): JsonProperty | undefined {
  return node === undefined ? undefined : allProperties(node).findLast((property) => property.name === name);
}

/** The node at the end of a way of keys; undefined where the way ends before. */
export function nodeAt(node: Node | undefined, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>((from, name) => propertyOf(from, name)?.value, node);
}

/** Keys that are written twice in one object, as they stand in the file. */
export function repeatedKeys(node: Node): readonly JsonProperty[] {
  const seen = new Set<string>();
  return allProperties(node).filter(({ name }) => seen.size === seen.add(name).size);
}

function allProperties(node: Node): readonly JsonProperty[] {
  if (node.type !== 'object') return [];
  return (node.children ?? []).flatMap(({ children }) => {
    const [key, value] = children ?? [];
    return key === undefined || value === undefined ? [] : [{ name: String(key.value), key, value }];
  });
}

function positionIn(file: string, text: string): (offset: number) => string {
  return (offset) => {
    const before = text.slice(0, offset).split('\n');
    return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  };
}

/** The offset of the first bracket beyond the deepest level; comments and strings open none. */
function excessiveDepthOffset(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  while (scanner.scan() !== END_OF_FILE) {
    const bracket = text.charAt(scanner.getTokenOffset());
    if (bracket === '{' || bracket === '[') depth += 1;
    if (bracket === '}' || bracket === ']') depth -= 1;
    if (depth > MAX_DEPTH) return scanner.getTokenOffset();
  }
  return undefined;
}

// `SyntaxKind.EOF` and `ParseErrorCode` of jsonc-parser are const enums, which a module compiled by itself cannot name.
const END_OF_FILE = 17;

const SYNTAX_MESSAGES: Readonly<Record<number, string>> = {
  1: 'a word that JSON does not have',
  2: 'a number that is not written as JSON writes it',
  3: 'a key in double quotes is missing',
  4: 'a value is missing',
  5: 'a colon is missing',
  6: 'a comma is missing',
  7: 'a closing brace is missing',
  8: 'a closing bracket is missing',
  9: 'the text goes on after its end',
  10: 'a comment stands where none may stand',
  11: 'a comment is not closed',
  12: 'a text is not closed by a double quote',
  13: 'a number is not complete',
  14: 'an escape that JSON does not have',
  15: 'an escape that JSON does not have',
  16: 'a control character stands in a text',
};

/** Told of a node that is not what it should be. Messages quote no value, since a value may be a secret. */
export type ReportInvalid = (node: Node, message: string, hint: string) => undefined;

/** A text with the node that it was read from. */
export interface LocatedText {
  readonly text: string;
  readonly node: Node;
}

/** The text under a key; undefined where there is none, `wrong` where there is something else. */
export function readText(node: Node, key: string, report: ReportInvalid): LocatedText | 'wrong' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  return (
    toText(property.value) ??
    reportInvalid(property.value, report, [`\`${key}\` is no text`, 'put it in double quotes'])
  );
}

/** The texts of the list under a key; none where there is no such key. */
export function readTexts(node: Node, key: string, report: ReportInvalid): readonly LocatedText[] | 'wrong' {
  const property = propertyOf(node, key);
  if (property === undefined) return [];
  const { value } = property;
  if (value.type !== 'array')
    return reportInvalid(value, report, [`\`${key}\` is no list`, `write \`"${key}": ["…"]\``]);
  const texts: LocatedText[] = [];
  for (const item of value.children ?? []) {
    const text = toText(item);
    if (text === undefined)
      return reportInvalid(item, report, [`an item of \`${key}\` is no text`, 'put each item in double quotes']);
    texts.push(text);
  }
  return texts;
}

/** The texts of the object under a key, by their own keys; none where there is no such key. */
export function readTextMap(
  node: Node,
  key: string,
  report: ReportInvalid,
): ReadonlyMap<string, LocatedText> | 'wrong' {
  const property = propertyOf(node, key);
  if (property === undefined || property.value.type === 'null') return new Map();
  const { value } = property;
  if (value.type !== 'object')
    return reportInvalid(value, report, [`\`${key}\` is no object`, `write \`"${key}": { "…": "…" }\``]);
  const texts = new Map<string, LocatedText>();
  for (const { name, value: item } of propertiesOf(value)) {
    const text = toScalarText(item);
    if (text === undefined)
      return reportInvalid(item, report, [`\`${key}.${name}\` is no text`, 'put the value in double quotes']);
    texts.set(name, text);
  }
  return texts;
}

/** True or false under a key; undefined where there is no such key, `wrong` where there is something else. */
export function readBoolean(node: Node, key: string, report: ReportInvalid): boolean | 'wrong' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  if (property.value.type === 'boolean') return property.value.value === true;
  const message = `\`${key}\` is neither \`true\` nor \`false\``;
  return reportInvalid(property.value, report, [message, 'write one of them, without quotes']);
}

function toText(node: Node): LocatedText | undefined {
  return node.type === 'string' ? { text: String(node.value), node } : undefined;
}

/** A text, or a number or truth value as it would be written: variables and headers are often given so. */
function toScalarText(node: Node): LocatedText | undefined {
  return /^(?:string|number|boolean)$/.test(node.type) ? { text: String(node.value), node } : undefined;
}

function reportInvalid(node: Node, report: ReportInvalid, [message, hint]: readonly [string, string]): 'wrong' {
  report(node, message, hint);
  return 'wrong';
}
