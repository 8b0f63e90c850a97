import type { Node } from 'jsonc-parser';
import type { ConfigValue, ConfigVariable } from './found-server.ts';
import { resolveArgument, resolveValue, type ValueContext } from './found-text.ts';
import { nodeAt, propertyOf } from './json-document.ts';
import { variableName } from './variable-names.ts';

/** The text that an input of `environmentVariables` or `headers` stands for; undefined where it is optional and has no value. */
export function manifestValue(input: Node, wanted: string, context: ValueContext): ConfigValue | undefined {
  return inputValue(input, wanted, { ...context, read: (key, text) => resolveValue(key, text, context) });
}

/** The url of a remote, in which `{name}` stands for one of its variables. */
export function manifestUrl(url: string, remote: Node, context: ValueContext): ConfigValue {
  return expandTemplate(url, { key: '', variables: nodeAt(remote, ['variables']) }, argumentReader(context));
}

/** The items of a command line that arguments of a manifest stand for. */
export function manifestArguments(list: Node | undefined, context: ValueContext): readonly ConfigValue[] {
  const items = list?.type === 'array' ? (list.children ?? []) : [];
  return items.flatMap((item) => {
    const name = scalarAt(item, 'name');
    const hint = name ?? scalarAt(item, 'valueHint') ?? 'argument';
    const wanted = `${variableName(context.server)}_${variableName(hint)}`;
    const value = inputValue(item, wanted, argumentReader(context));
    if (scalarAt(item, 'type') !== 'named' || name === undefined) return value === undefined ? [] : [value];
    const flag = { text: name, variables: [] };
    if (scalarAt(item, 'format') === 'boolean') return value?.text === 'true' ? [flag] : [];
    if (value !== undefined) return [flag, value];
    return VALUE_KEYS.some((key) => propertyOf(item, key) !== undefined) ? [] : [flag];
  });
}

/** Keys that tell that a named argument takes a value. Without any of them it is a bare flag, such as `-y`. */
const VALUE_KEYS = ['valueHint', 'placeholder', 'choices', 'format', 'variables'];

/** The text, number or truth value under a key, as text. */
export function scalarAt(node: Node, key: string): string | undefined {
  const value = propertyOf(node, key)?.value;
  return value !== undefined && /^(?:string|number|boolean)$/.test(value.type) ? String(value.value) : undefined;
}

function declaredVariable(input: Node, name: string): ConfigVariable {
  const description = scalarAt(input, 'description');
  const isSecret = propertyOf(input, 'isSecret')?.value.value === true;
  return { name, origin: 'declared', isSecret, ...(description === undefined ? {} : { description }) };
}

function reference(variable: ConfigVariable): ConfigValue {
  return { text: `\${env:${variable.name}}`, variables: [variable] };
}

/** A context with the way in which its plain texts are read. */
type ValueReader = ValueContext & { readonly read: (key: string, text: string) => ConfigValue };

function argumentReader(context: ValueContext): ValueReader {
  return { ...context, read: (_key, text) => resolveArgument(text, context) };
}

function inputValue(input: Node, wanted: string, reader: ValueReader): ConfigValue | undefined {
  const value = scalarAt(input, 'value') ?? scalarAt(input, 'default');
  const variables = nodeAt(input, ['variables']);
  if (value !== undefined) return expandTemplate(value, { key: wanted, variables }, reader);
  if (propertyOf(input, 'isRequired')?.value.value !== true) return undefined;
  return reference(declaredVariable(input, variableName(wanted)));
}

/** A text in which `{name}` stands for what `variables` says of that name; unknown names stay as they are. */
function expandTemplate(
  text: string,
  { key, variables }: { readonly key: string; readonly variables: Node | undefined },
  { server, read }: ValueReader,
): ConfigValue {
  const values: ConfigValue[] = [];
  let end = 0;
  for (const match of text.matchAll(/\{([A-Za-z_][\w-]*)\}/g)) {
    const name = match[1] ?? '';
    const variable = propertyOf(variables, name)?.value;
    if (variable === undefined) continue;
    const value = scalarAt(variable, 'value') ?? scalarAt(variable, 'default');
    const wanted = `${variableName(server)}_${variableName(name)}`;
    const part = value === undefined ? reference(declaredVariable(variable, wanted)) : read(name, value);
    values.push(read('', text.slice(end, match.index)), part);
    end = match.index + match[0].length;
  }
  values.push(read(values.length === 0 ? key : '', text.slice(end)));
  return { text: values.map((part) => part.text).join(''), variables: values.flatMap((part) => part.variables) };
}
