import { createScanner, type Node } from 'jsonc-parser';
import type { JsonValue } from '../../lib/json/json.ts';
import { nodeAt, parseJsonDocument, propertyOf } from './json-document.ts';

/**
 * Sets the value at a path of keys and keeps every other byte: comments, order, trailing commas, line endings. Missing
 * objects on the path are created. The text must be JSON, and each existing value on the path an object.
 */
export function setJsonValue(text: string, path: readonly string[], value: JsonValue): string {
  const root = rootOf(text);
  if (root === undefined) return `${text}${JSON.stringify(nestValue(path, value), null, 2)}\n`;
  let node: Node = root;
  for (const [depth, name] of path.entries()) {
    const next: Node | undefined = propertyOf(node, name)?.value;
    if (next === undefined) return insertMember(text, node, { name, value: nestValue(path.slice(depth + 1), value) });
    node = next;
  }
  const indent = isFirstOnLine(text, node.parent?.offset ?? 0) ? lineIndent(text, node.offset) : undefined;
  return splice(text, [node.offset, node.offset + node.length], formatValue(value, { text, indent }));
}

/** Removes the property at a path of keys, with the comment at the end of its line. */
export function removeJsonValue(text: string, path: readonly string[]): string {
  const member = nodeAt(rootOf(text), path)?.parent;
  if (member === undefined) return text;
  const members = member.parent?.children ?? [];
  const before = members[members.indexOf(member) - 1];
  const end = member.offset + member.length;
  const { commaAt, lineEndsAt } = afterMember(text, end);
  const isLast = members.at(-1) === member;
  const [from, to] = wholeLines(text, member.offset, lineEndsAt) ?? [member.offset, skipSpace(text, lineEndsAt)];
  const shorter = splice(text, [from, to], '');
  // Strict JSON has no trailing comma: with the last member goes the comma before it.
  const comma = before && afterMember(text, before.offset + before.length).commaAt;
  return isLast && commaAt === undefined && comma !== undefined ? splice(shorter, [comma, comma + 1], '') : shorter;
}

/** Appends an item to the list at a path of keys; a missing list is created. */
export function appendJsonItem(text: string, path: readonly string[], item: JsonValue): string {
  const list = nodeAt(rootOf(text), path);
  return list?.type === 'array' ? insertMember(text, list, { value: item }) : setJsonValue(text, path, [item]);
}

function rootOf(text: string): Node | undefined {
  const document = parseJsonDocument('', text);
  return 'file' in document ? document.root : undefined;
}

function nestValue(path: readonly string[], value: JsonValue): JsonValue {
  return path.reduceRight<JsonValue>((inner, name) => ({ [name]: inner }), value);
}

/** A property of an object, or an item of a list, without `name`. */
interface Member {
  readonly name?: string;
  readonly value: JsonValue;
}

/** Inserts a member at the end. A comment on the line of the last member stays on that line. */
function insertMember(text: string, parent: Node, { name, value }: Member): string {
  const last = parent.children?.at(-1);
  const close = parent.offset + parent.length - 1;
  const key = name === undefined ? '' : `${JSON.stringify(name)}: `;
  const owner = parent.parent ?? parent;
  if (!isFirstOnLine(text, last?.offset ?? owner.offset)) {
    const at = last === undefined ? parent.offset + 1 : last.offset + last.length;
    return splice(text, [at, at], `${last === undefined ? '' : ', '}${key}${JSON.stringify(value)}`);
  }
  const outer = lineIndent(text, close);
  const indent = last === undefined ? `${outer}${indentUnit(text)}` : lineIndent(text, last.offset);
  const member = `${lineEnd(text)}${indent}${key}${formatValue(value, { text, indent })}`;
  if (last === undefined) {
    const within = text.slice(parent.offset + 1, close).trimEnd();
    return splice(text, [parent.offset + 1, close], `${within}${member}${lineEnd(text)}${outer}`);
  }
  const end = last.offset + last.length;
  const { commaAt, lineEndsAt } = afterMember(text, end);
  const rest = text.slice(end, lineEndsAt);
  const [comma, trailing] = commaAt === undefined ? [',', ''] : ['', ','];
  return splice(text, [end, lineEndsAt], `${comma}${rest}${member}${trailing}`);
}

// `SyntaxKind` of jsonc-parser is a const enum, which isolated modules cannot import.
const COMMA = 5;
const TRIVIA: ReadonlySet<number> = new Set([12, 13, 14, 15]);
const LINE_BREAK = 14;
const SPACE = 15;

/** Offset of the comma after a member, and the end of its line's text: after the comma and the comments. */
function afterMember(text: string, end: number): { readonly commaAt: number | undefined; readonly lineEndsAt: number } {
  const scanner = createScanner(text);
  scanner.setPosition(end);
  let lineEndsAt = end;
  let isSameLine = true;
  let commaAt: number | undefined;
  for (let token: number = scanner.scan(); TRIVIA.has(token) || token === COMMA; token = scanner.scan()) {
    if (token === COMMA && commaAt !== undefined) break;
    if (token === COMMA) commaAt = scanner.getTokenOffset();
    if (token === LINE_BREAK) isSameLine = false;
    if (token === COMMA || (isSameLine && token !== SPACE)) lineEndsAt = scanner.getPosition();
  }
  return { commaAt, lineEndsAt };
}

/** Formats a value with the indentation of its first line; on one line if `indent` is undefined. */
function formatValue(
  value: JsonValue,
  { text, indent }: { readonly text: string; readonly indent: string | undefined },
): string {
  if (indent === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, indentUnit(text)).replaceAll('\n', `${lineEnd(text)}${indent}`);
}

/** One level of indentation of the text. Default: two spaces. */
function indentUnit(text: string): string {
  return /^(?:\t| {1,8})(?=["{}\]/])/m.exec(text)?.[0] ?? '  ';
}

function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function lineIndent(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** The range extended to whole lines; undefined if they contain other text. */
function wholeLines(text: string, from: number, to: number): readonly [number, number] | undefined {
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(to));
  return isFirstOnLine(text, from) && rest ? [from - lineIndent(text, from).length, to + rest[0].length] : undefined;
}

function skipSpace(text: string, offset: number): number {
  return offset + (/^[ \t]*/.exec(text.slice(offset))?.[0].length ?? 0);
}

function isFirstOnLine(text: string, offset: number): boolean {
  return /(?:^|\n)[ \t]*$/.test(text.slice(0, offset));
}

function splice(text: string, [from, to]: readonly [number, number], between: string): string {
  return `${text.slice(0, from)}${between}${text.slice(to)}`;
}
