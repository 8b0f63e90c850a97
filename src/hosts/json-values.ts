import type { Node } from 'jsonc-parser';
import { propertiesOf, propertyOf } from './json-document.ts';

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
