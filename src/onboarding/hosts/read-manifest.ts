import type { Node } from 'jsonc-parser';
import type { Problem } from '../../domain/problem.ts';
import { type JsonDocument, nodeAt, propertyOf } from '../jsonc/json-document.ts';
import type { ConfiguredTransport, ConfigValue, ConfigVariable, ReadContext, ReadResult } from './configured-server.ts';
import { resolveArgument, resolveValue, type ValueContext } from './resolve-value.ts';
import { variableName } from './variable-names.ts';

/** True for a `server.json` of the MCP registry (schema 2025-12-11): it has a name, and packages or remotes. */
export function isManifest(root: Node | undefined): root is Node {
  const isNamed = propertyOf(root, 'name')?.value.type === 'string';
  return isNamed && (nodeAt(root, ['packages']) ?? nodeAt(root, ['remotes']))?.type === 'array';
}

/**
 * Reads a manifest as one server: its first package that can be started, else its first remote that can be reached.
 * Optional inputs without a value are omitted; required ones become variables of origin `declared`.
 */
export function readManifest(document: JsonDocument, root: Node, context: ReadContext): ReadResult {
  const name = scalarAt(root, 'name') ?? '';
  const problems: Problem[] = [];
  const onUnknownVariable = (): void => {};
  const valueContext = { ...context, inputs: new Map(), server: name.split('/').at(-1) ?? name, onUnknownVariable };
  const candidates = [
    ...itemsOf(root, 'packages').map((node) => ({ node, read: readPackage })),
    ...itemsOf(root, 'remotes').map((node) => ({ node, read: readRemote })),
  ];
  for (const { node, read } of candidates) {
    const transport = read(node, valueContext);
    if (typeof transport !== 'string') {
      const title = scalarAt(root, 'title');
      const description = scalarAt(root, 'description');
      const details = {
        ...(title === undefined ? {} : { title }),
        ...(description === undefined ? {} : { description }),
      };
      const at = document.at(propertyOf(root, 'name')?.key ?? root);
      return { servers: [{ name, transport, isDisabled: false, at, ...details }], problems: [] };
    }
    const hint = 'supported are npm, pypi, oci and nuget packages over stdio, and remotes over streamable-http';
    problems.push({ code: 'hosts-transport-unsupported', at: document.at(node), message: transport, hint });
  }
  return { servers: [], problems: problems.length > 0 ? problems : [emptyManifest(document, root)] };
}

function emptyManifest(document: JsonDocument, root: Node): Problem {
  const message = 'the manifest lists neither packages nor remotes';
  const hint = 'ask its author to add `packages` or `remotes`';
  return { code: 'hosts-shape-unknown', at: document.at(root), message, hint };
}

function itemsOf(root: Node, key: string): readonly Node[] {
  const list = nodeAt(root, [key]);
  return list?.type === 'array' ? (list.children ?? []) : [];
}

/** The command that starts a package, by registry type. `args` precede the package. */
const RUNNERS: Readonly<
  Record<string, { readonly command: string; readonly args: readonly string[]; readonly versionSeparator: string }>
> = {
  npm: { command: 'npx', args: ['-y'], versionSeparator: '@' },
  pypi: { command: 'uvx', args: [], versionSeparator: '@' },
  nuget: { command: 'dnx', args: ['--yes'], versionSeparator: '@' },
  oci: { command: 'docker', args: ['run', '-i', '--rm'], versionSeparator: ':' },
};

/** Reads a package as a stdio transport; a string is the reason why it cannot be started. */
function readPackage(node: Node, context: ValueContext): ConfiguredTransport | string {
  const type = scalarAt(node, 'registryType') ?? '';
  const runner = Object.hasOwn(RUNNERS, type) ? RUNNERS[type] : undefined;
  const identifier = scalarAt(node, 'identifier');
  if (runner === undefined) return `packages of the registry type \`${printableWord(type)}\` are not supported`;
  if (identifier === undefined) return 'the package has no `identifier`';
  const transport = nodeAt(node, ['transport']);
  const kind = transport === undefined ? 'stdio' : scalarAt(transport, 'type');
  if (kind !== 'stdio') return 'packages with a transport other than stdio are not supported';
  const version = scalarAt(node, 'version');
  const hasVersion = type === 'oci' && /[@:][^/]*$/.test(identifier);
  const env = readPairs(node, 'environmentVariables', context);
  const runtime = manifestArguments(nodeAt(node, ['runtimeArguments']), context);
  const runtimeTexts = new Set(runtime.map(({ text }) => text));
  const envArguments = type === 'oci' ? Object.keys(env).flatMap((name) => ['-e', name]) : [];
  const image = version === undefined || hasVersion ? identifier : `${identifier}${runner.versionSeparator}${version}`;
  return {
    type: 'stdio',
    command: literalValue(scalarAt(node, 'runtimeHint') ?? runner.command),
    args: [
      ...runner.args.filter((text) => !runtimeTexts.has(text)).map(literalValue),
      ...runtime,
      ...envArguments.map(literalValue),
      literalValue(image),
      ...manifestArguments(nodeAt(node, ['packageArguments']), context),
    ],
    env,
  };
}

/** Reads a remote as an HTTP transport; a string is the reason why it cannot be reached. */
function readRemote(node: Node, context: ValueContext): ConfiguredTransport | string {
  const type = scalarAt(node, 'type') ?? '';
  const url = scalarAt(node, 'url');
  if (type !== 'streamable-http') return `the transport \`${printableWord(type)}\` is not supported`;
  if (url === undefined) return 'the remote has no `url`';
  return {
    type: 'http',
    url: manifestUrl(url, node, context),
    headers: readPairs(node, 'headers', context),
  };
}

function readPairs(node: Node, key: string, context: ValueContext): Readonly<Record<string, ConfigValue>> {
  const pairs = itemsOf(node, key).flatMap((item): [string, ConfigValue][] => {
    const name = scalarAt(item, 'name');
    const text = name === undefined ? undefined : manifestValue(item, variableNameHint(name, key, context), context);
    return name === undefined || text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(pairs);
}

/** Preferred variable name. Header names repeat across servers, so theirs begin with the server's name. */
function variableNameHint(name: string, key: string, { server }: ValueContext): string {
  if (key !== 'headers') return name;
  return `${server}_${/^authorization$/i.test(name) ? 'token' : name.replace(/^x-/i, '')}`;
}

function literalValue(text: string): ConfigValue {
  return { text, variables: [] };
}

/** A word of the file, safe to quote in a message. */
function printableWord(text: string): string {
  return /^[\w-]{1,30}$/.test(text) ? text : '?';
}

/** Value of an input of `environmentVariables` or `headers`; undefined if it is optional and has no value. */
export function manifestValue(input: Node, variableHint: string, context: ValueContext): ConfigValue | undefined {
  return inputValue(input, variableHint, { ...context, read: (key, text) => resolveValue(key, text, context) });
}

/** URL of a remote with its `{name}` variables expanded. */
export function manifestUrl(url: string, remote: Node, context: ValueContext): ConfigValue {
  return expandTemplate(url, { key: '', variables: nodeAt(remote, ['variables']) }, argumentReader(context));
}

/** Expands the arguments of a manifest to the items of a command line. */
export function manifestArguments(list: Node | undefined, context: ValueContext): readonly ConfigValue[] {
  const items = list?.type === 'array' ? (list.children ?? []) : [];
  return items.flatMap((item) => {
    const name = scalarAt(item, 'name');
    const hint = name ?? scalarAt(item, 'valueHint') ?? 'argument';
    const variableHint = `${variableName(context.server)}_${variableName(hint)}`;
    const value = inputValue(item, variableHint, argumentReader(context));
    if (scalarAt(item, 'type') !== 'named' || name === undefined) return value === undefined ? [] : [value];
    const flag = { text: name, variables: [] };
    if (scalarAt(item, 'format') === 'boolean') return value?.text === 'true' ? [flag] : [];
    if (value !== undefined) return [flag, value];
    return VALUE_KEYS.some((key) => propertyOf(item, key) !== undefined) ? [] : [flag];
  });
}

/** Keys that mark a named argument as one with a value. Without any of them it is a flag, such as `-y`. */
const VALUE_KEYS = ['valueHint', 'placeholder', 'choices', 'format', 'variables'];

/** The string, number or boolean under a key, as text. */
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

/** A context, and the function that resolves plain text in it. */
type ValueReader = ValueContext & { readonly read: (key: string, text: string) => ConfigValue };

function argumentReader(context: ValueContext): ValueReader {
  return { ...context, read: (_key, text) => resolveArgument(text, context) };
}

function inputValue(input: Node, variableHint: string, reader: ValueReader): ConfigValue | undefined {
  const value = scalarAt(input, 'value') ?? scalarAt(input, 'default');
  const variables = nodeAt(input, ['variables']);
  if (value !== undefined) return expandTemplate(value, { key: variableHint, variables }, reader);
  if (propertyOf(input, 'isRequired')?.value.value !== true) return undefined;
  return reference(declaredVariable(input, variableName(variableHint)));
}

/** Expands each `{name}` of a text by `variables`. Unknown names stay as written. */
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
    const newName = `${variableName(server)}_${variableName(name)}`;
    const part = value === undefined ? reference(declaredVariable(variable, newName)) : read(name, value);
    values.push(read('', text.slice(end, match.index)), part);
    end = match.index + match[0].length;
  }
  values.push(read(values.length === 0 ? key : '', text.slice(end)));
  return { text: values.map((part) => part.text).join(''), variables: values.flatMap((part) => part.variables) };
}
