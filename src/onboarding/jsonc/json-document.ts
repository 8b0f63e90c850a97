import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Problem } from '../../domain/problem.ts';

/** A parsed JSON file, with or without comments and trailing commas, and the position of each node. */
export interface JsonDocument {
  readonly file: string;
  readonly text: string;
  /** Undefined if the text has only white space and comments. */
  readonly root: Node | undefined;
  /** `file:line:column` (from 1) of a node. */
  readonly at: (node: Node) => string;
}

/** One key of an object and its value. */
export interface JsonProperty {
  readonly name: string;
  readonly key: Node;
  readonly value: Node;
}

/** Deepest nesting that is parsed: the parser recurses, and a stack overflow would end the process. */
const MAX_DEPTH = 100;

/** One missing bracket causes many errors, and the first ones show the cause. */
const MAX_PROBLEMS = 3;

/** Parses JSON with comments and trailing commas. The problems quote none of the text, which may hold secrets. */
export function parseJsonDocument(file: string, text: string): JsonDocument | readonly Problem[] {
  const positionAt = positionIn(file, text);
  const deepOffset = excessiveDepthOffset(text);
  if (deepOffset !== undefined) {
    const message = `lists and objects are nested more than ${MAX_DEPTH} levels deep`;
    return [{ code: 'hosts-syntax', at: positionAt(deepOffset), message, hint: `nest at most ${MAX_DEPTH} levels` }];
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (errors.length > 0) {
    return errors.slice(0, MAX_PROBLEMS).map(({ error, offset }) => ({
      code: 'hosts-syntax',
      at: positionAt(offset),
      message: `this is not valid JSON: ${SYNTAX_MESSAGES[error] ?? 'unexpected text'}`,
      hint: 'fix the file at this position; its own program cannot read it either',
    }));
  }
  return { file, text, root, at: (node: Node) => positionAt(node.offset) };
}

/** The properties of an object. Of a repeated key the last one, as JSON parsers do. */
export function propertiesOf(node: Node): readonly JsonProperty[] {
  const byName = new Map(allProperties(node).map((property) => [property.name, property]));
  return [...byName.values()];
}

/** The property of that name; undefined if the node is not an object or has none. */
export function propertyOf(node: Node | undefined, name: string): JsonProperty | undefined {
  return node === undefined ? undefined : allProperties(node).findLast((property) => property.name === name);
}

/** The node at a path of keys; undefined if a key is missing. */
export function nodeAt(node: Node | undefined, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>((from, name) => propertyOf(from, name)?.value, node);
}

/** The second and later occurrences of repeated keys of an object, in the order of the file. */
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

/** Offset of the first bracket beyond `MAX_DEPTH`. Brackets in comments and strings do not count. */
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

// `SyntaxKind.EOF` and `ParseErrorCode` of jsonc-parser are const enums, which isolated modules cannot import.
const END_OF_FILE = 17;

const SYNTAX_MESSAGES: Readonly<Record<number, string>> = {
  1: 'unknown word',
  2: 'invalid number',
  3: 'missing key in double quotes',
  4: 'missing value',
  5: 'missing colon',
  6: 'missing comma',
  7: 'missing closing brace',
  8: 'missing closing bracket',
  9: 'text after the end',
  10: 'a comment is not allowed here',
  11: 'unterminated comment',
  12: 'unterminated string',
  13: 'incomplete number',
  14: 'invalid escape sequence',
  15: 'invalid escape sequence',
  16: 'control character in a string',
};

/** Reports a node of the wrong type. Messages quote no value, because a value may be a secret. */
export type ReportInvalid = (node: Node, message: string, hint: string) => undefined;

/** A text and the node that it was read from. */
export interface LocatedText {
  readonly text: string;
  readonly node: Node;
}

/** Reads the string under a key; undefined if the key is missing, `invalid` if the value is not a string. */
export function readText(node: Node, key: string, report: ReportInvalid): LocatedText | 'invalid' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  return (
    toText(property.value) ??
    reportInvalid(property.value, report, [`\`${key}\` is not a string`, 'put it in double quotes'])
  );
}

/** Reads the list of strings under a key; empty if the key is missing. */
export function readTexts(node: Node, key: string, report: ReportInvalid): readonly LocatedText[] | 'invalid' {
  const property = propertyOf(node, key);
  if (property === undefined) return [];
  const { value } = property;
  if (value.type !== 'array')
    return reportInvalid(value, report, [`\`${key}\` is not a list`, `write \`"${key}": ["…"]\``]);
  const texts: LocatedText[] = [];
  for (const item of value.children ?? []) {
    const text = toText(item);
    if (text === undefined)
      return reportInvalid(item, report, [`an item of \`${key}\` is not a string`, 'put each item in double quotes']);
    texts.push(text);
  }
  return texts;
}

/** Reads the object of strings under a key; empty if the key is missing or null. */
export function readTextMap(
  node: Node,
  key: string,
  report: ReportInvalid,
): ReadonlyMap<string, LocatedText> | 'invalid' {
  const property = propertyOf(node, key);
  if (property === undefined || property.value.type === 'null') return new Map();
  const { value } = property;
  if (value.type !== 'object')
    return reportInvalid(value, report, [`\`${key}\` is not an object`, `write \`"${key}": { "…": "…" }\``]);
  const texts = new Map<string, LocatedText>();
  for (const { name, value: item } of propertiesOf(value)) {
    const text = toScalarText(item);
    if (text === undefined)
      return reportInvalid(item, report, [`\`${key}.${name}\` is not a string`, 'put the value in double quotes']);
    texts.set(name, text);
  }
  return texts;
}

/** Reads the boolean under a key; undefined if the key is missing, `invalid` if the value is not a boolean. */
export function readBoolean(node: Node, key: string, report: ReportInvalid): boolean | 'invalid' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  if (property.value.type === 'boolean') return property.value.value === true;
  const message = `\`${key}\` is neither \`true\` nor \`false\``;
  return reportInvalid(property.value, report, [message, 'write `true` or `false` without quotes']);
}

function toText(node: Node): LocatedText | undefined {
  return node.type === 'string' ? { text: String(node.value), node } : undefined;
}

/** A string, or a number or boolean as text: variables and headers are often written without quotes. */
function toScalarText(node: Node): LocatedText | undefined {
  return /^(?:string|number|boolean)$/.test(node.type) ? { text: String(node.value), node } : undefined;
}

function reportInvalid(node: Node, report: ReportInvalid, [message, hint]: readonly [string, string]): 'invalid' {
  report(node, message, hint);
  return 'invalid';
}
