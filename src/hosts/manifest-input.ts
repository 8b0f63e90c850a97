import type { Node } from 'jsonc-parser';
import type { FoundText, FoundVariable } from './found-server.ts';
import { foundArgument, foundValue, type TextContext } from './found-text.ts';
import { nodeAt, propertyOf } from './json-document.ts';
import { variableName } from './variable-names.ts';

/** The text that an input of `environmentVariables` or `headers` stands for; undefined where it is optional and has no value. */
export function valueText(input: Node, wanted: string, context: TextContext): FoundText | undefined {
  return inputText(input, wanted, { ...context, read: (key, text) => foundValue(key, text, context) });
}

/** The url of a remote, in which `{name}` stands for one of its variables. */
export function urlText(url: string, remote: Node, context: TextContext): FoundText {
  return template(url, { key: '', variables: nodeAt(remote, ['variables']) }, argumentReader(context));
}

/** The items of a command line that arguments of a manifest stand for. */
export function argumentTexts(list: Node | undefined, context: TextContext): readonly FoundText[] {
  const items = list?.type === 'array' ? (list.children ?? []) : [];
  return items.flatMap((item) => {
    const name = textAt(item, 'name');
    const hint = name ?? textAt(item, 'valueHint') ?? 'argument';
    const wanted = `${variableName(context.server)}_${variableName(hint)}`;
    const value = inputText(item, wanted, argumentReader(context));
    if (textAt(item, 'type') !== 'named' || name === undefined) return value === undefined ? [] : [value];
    const flag = { text: name, variables: [] };
    if (textAt(item, 'format') === 'boolean') return value?.text === 'true' ? [flag] : [];
    if (value !== undefined) return [flag, value];
    return OF_A_VALUE.some((key) => propertyOf(item, key) !== undefined) ? [] : [flag];
  });
}

/** Keys that tell that a named argument takes a value. Without any of them it is a bare flag, such as `-y`. */
const OF_A_VALUE = ['valueHint', 'placeholder', 'choices', 'format', 'variables'];

/** The text, number or truth value under a key, as text. */
export function textAt(node: Node, key: string): string | undefined {
  const value = propertyOf(node, key)?.value;
  return value !== undefined && /^(?:string|number|boolean)$/.test(value.type) ? String(value.value) : undefined;
}

function asked(input: Node, name: string): FoundVariable {
  const description = textAt(input, 'description');
  const isSecret = propertyOf(input, 'isSecret')?.value.value === true;
  return { name, origin: 'declared', isSecret, ...(description === undefined ? {} : { description }) };
}

function reference(variable: FoundVariable): FoundText {
  return { text: `\${env:${variable.name}}`, variables: [variable] };
}

/** A context with the way in which its plain texts are read. */
type TextReader = TextContext & { readonly read: (key: string, text: string) => FoundText };

function argumentReader(context: TextContext): TextReader {
  return { ...context, read: (_key, text) => foundArgument(text, context) };
}

function inputText(input: Node, wanted: string, reader: TextReader): FoundText | undefined {
  const value = textAt(input, 'value') ?? textAt(input, 'default');
  const variables = nodeAt(input, ['variables']);
  if (value !== undefined) return template(value, { key: wanted, variables }, reader);
  if (propertyOf(input, 'isRequired')?.value.value !== true) return undefined;
  return reference(asked(input, variableName(wanted)));
}

/** A text in which `{name}` stands for what `variables` says of that name; unknown names stay as they are. */
function template(
  text: string,
  { key, variables }: { readonly key: string; readonly variables: Node | undefined },
  { server, read }: TextReader,
): FoundText {
  const found: FoundText[] = [];
  let end = 0;
  for (const match of text.matchAll(/\{([A-Za-z_][\w-]*)\}/g)) {
    const name = match[1] ?? '';
    const variable = propertyOf(variables, name)?.value;
    if (variable === undefined) continue;
    const value = textAt(variable, 'value') ?? textAt(variable, 'default');
    const wanted = `${variableName(server)}_${variableName(name)}`;
    const part = value === undefined ? reference(asked(variable, wanted)) : read(name, value);
    found.push(read('', text.slice(end, match.index)), part);
    end = match.index + match[0].length;
  }
  found.push(read(found.length === 0 ? key : '', text.slice(end)));
  return { text: found.map((part) => part.text).join(''), variables: found.flatMap((part) => part.variables) };
}
