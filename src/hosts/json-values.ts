import type { Node } from 'jsonc-parser';
import { propertiesOf, propertyOf } from './json-document.ts';

/** Told of a node that is not what it should be. Messages quote no value, since a value may be a secret. */
export type Wrong = (node: Node, message: string, hint: string) => undefined;

/** A text with the node that it was read from. */
export interface WrittenText {
  readonly text: string;
  readonly node: Node;
}

/** The text under a key; undefined where there is none, `wrong` where there is something else. */
export function textIn(node: Node, key: string, wrong: Wrong): WrittenText | 'wrong' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  return textOf(property.value) ?? bad(property.value, wrong, [`\`${key}\` is no text`, 'put it in double quotes']);
}

/** The texts of the list under a key; none where there is no such key. */
export function textsIn(node: Node, key: string, wrong: Wrong): readonly WrittenText[] | 'wrong' {
  const property = propertyOf(node, key);
  if (property === undefined) return [];
  const { value } = property;
  if (value.type !== 'array') return bad(value, wrong, [`\`${key}\` is no list`, `write \`"${key}": ["…"]\``]);
  const texts: WrittenText[] = [];
  for (const item of value.children ?? []) {
    const text = textOf(item);
    if (text === undefined)
      return bad(item, wrong, [`an item of \`${key}\` is no text`, 'put each item in double quotes']);
    texts.push(text);
  }
  return texts;
}

/** The texts of the object under a key, by their own keys; none where there is no such key. */
export function textsByKey(node: Node, key: string, wrong: Wrong): ReadonlyMap<string, WrittenText> | 'wrong' {
  const property = propertyOf(node, key);
  if (property === undefined || property.value.type === 'null') return new Map();
  const { value } = property;
  if (value.type !== 'object')
    return bad(value, wrong, [`\`${key}\` is no object`, `write \`"${key}": { "…": "…" }\``]);
  const texts = new Map<string, WrittenText>();
  for (const { name, value: item } of propertiesOf(value)) {
    const text = scalarOf(item);
    if (text === undefined)
      return bad(item, wrong, [`\`${key}.${name}\` is no text`, 'put the value in double quotes']);
    texts.set(name, text);
  }
  return texts;
}

/** True or false under a key; undefined where there is no such key, `wrong` where there is something else. */
export function booleanIn(node: Node, key: string, wrong: Wrong): boolean | 'wrong' | undefined {
  const property = propertyOf(node, key);
  if (property === undefined) return undefined;
  if (property.value.type === 'boolean') return property.value.value === true;
  const message = `\`${key}\` is neither \`true\` nor \`false\``;
  return bad(property.value, wrong, [message, 'write one of them, without quotes']);
}

function textOf(node: Node): WrittenText | undefined {
  return node.type === 'string' ? { text: String(node.value), node } : undefined;
}

/** A text, or a number or truth value as it would be written: variables and headers are often given so. */
function scalarOf(node: Node): WrittenText | undefined {
  return /^(?:string|number|boolean)$/.test(node.type) ? { text: String(node.value), node } : undefined;
}

function bad(node: Node, wrong: Wrong, [message, hint]: readonly [string, string]): 'wrong' {
  wrong(node, message, hint);
  return 'wrong';
}
