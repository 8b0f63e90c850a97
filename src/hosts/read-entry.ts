import type { Node } from 'jsonc-parser';
import type { Problem } from '../domain/problem.ts';
import type { FoundServer, FoundText, FoundTransport } from './found-server.ts';
import { foundArgument, foundValue, type TextContext } from './found-text.ts';
import { type JsonDocument, type JsonProperty, propertyOf, repeatedKeys } from './json-document.ts';
import { booleanIn, textIn, textsByKey, textsIn, type Wrong } from './json-values.ts';

/** What every entry of one file is read with. */
export interface EntryContext {
  readonly document: JsonDocument;
  readonly texts: Omit<TextContext, 'server' | 'unknown'>;
  readonly problems: Problem[];
  /** What an entry with a `url` and no `type` is. */
  readonly untypedUrl: 'http' | 'sse';
}

/** One entry of `mcpServers` or `servers`; undefined, with at least one problem, where it cannot be used. */
export function readEntry(entry: JsonProperty, context: EntryContext): FoundServer | undefined {
  const { document, problems } = context;
  const wrong: Wrong = (node, message, hint) => {
    problems.push({ code: 'hosts-entry-invalid', at: document.at(node), message: inServer(entry, message), hint });
    return undefined;
  };
  if (entry.value.type !== 'object') {
    return wrong(entry.value, 'it is no object', 'write an object with `command` or `url`, or delete the entry');
  }
  for (const repeated of repeatedKeys(entry.value)) {
    const message = inServer(entry, `the key \`${repeated.name}\` is written twice`);
    const hint = 'delete one of the two; the last one was read';
    problems.push({ code: 'hosts-duplicate-key', at: document.at(repeated.key), message, hint, severity: 'warning' });
  }
  // Cline's command line writes the transport as an object of its own within the entry.
  const nested = propertyOf(entry.value, 'transport')?.value;
  const way = nested?.type === 'object' ? { ...entry, value: nested } : entry;
  const transport = readTransport(way, context, wrong);
  if (transport === undefined) return undefined;
  const disabled = booleanIn(entry.value, 'disabled', wrong);
  const enabled = booleanIn(entry.value, 'enabled', wrong);
  if (disabled === 'wrong' || enabled === 'wrong') return undefined;
  const isDisabled = disabled === true || enabled === false;
  return { name: entry.name, transport, isDisabled, at: document.at(entry.key) };
}

function inServer({ name }: JsonProperty, message: string): string {
  return `server \`${name}\`: ${message}`;
}

function readTransport(entry: JsonProperty, context: EntryContext, wrong: Wrong): FoundTransport | undefined {
  const node = entry.value;
  const type = textIn(node, 'type', wrong);
  const url = textIn(node, 'url', wrong);
  const command = textIn(node, 'command', wrong);
  if (type === 'wrong' || url === 'wrong' || command === 'wrong') return undefined;
  const kind = kindOf(type?.text, url?.text, context.untypedUrl);
  if (kind === 'unsupported') {
    const place = propertyOf(node, type === undefined ? 'url' : 'type')?.value ?? node;
    const message = inServer(entry, `\`${type?.text ?? 'sse'}\` is a transport that is not supported`);
    const hint = 'ask the server for its streamable HTTP url, which often ends with `/mcp`';
    context.problems.push({ code: 'hosts-transport-unsupported', at: context.document.at(place), message, hint });
    return undefined;
  }
  if (kind === 'stdio' && command !== undefined) return readStdio(entry, { ...context, wrong }, command);
  if (kind === 'http' && url !== undefined) return readHttp(entry, { ...context, wrong }, url);
  const lacks = kind === 'http' ? '`url`' : type === undefined ? '`command` and `url`' : '`command`';
  return wrong(entry.key, `it lacks ${lacks}`, 'write the `command` that starts the server, or its `url`');
}

/** Without a `type` a `command` is one of stdio and a `url` what the host takes it for; a url that says so is one of SSE. */
function kindOf(
  type: string | undefined,
  url: string | undefined,
  untypedUrl: 'http' | 'sse',
): 'stdio' | 'http' | 'unsupported' {
  if (type !== undefined) {
    if (type === 'stdio') return 'stdio';
    return /^(?:http|streamable-?http)$/i.test(type) ? 'http' : 'unsupported';
  }
  if (url === undefined) return 'stdio';
  return untypedUrl === 'sse' || /\/sse\/?(?:\?|$)/.test(url) ? 'unsupported' : 'http';
}

type Reader = EntryContext & { readonly wrong: Wrong };
type Written = { readonly text: string; readonly node: Node };

function readStdio(entry: JsonProperty, reader: Reader, command: Written): FoundTransport | undefined {
  const { wrong } = reader;
  const args = textsIn(entry.value, 'args', wrong);
  const env = textsByKey(entry.value, 'env', wrong);
  const cwd = textIn(entry.value, 'cwd', wrong);
  if (args === 'wrong' || env === 'wrong' || cwd === 'wrong') return undefined;
  warnOfEnvFile(entry, reader);
  return {
    type: 'stdio',
    command: argumentText(entry, reader, command),
    args: args.map((argument, index) => argumentText(entry, reader, argument, args[index - 1]?.text)),
    env: values(entry, reader, env),
    ...(cwd === undefined ? {} : { cwd: argumentText(entry, reader, cwd) }),
  };
}

function readHttp(entry: JsonProperty, reader: Reader, url: Written): FoundTransport | undefined {
  const headers = textsByKey(entry.value, 'headers', reader.wrong);
  if (headers === 'wrong') return undefined;
  return { type: 'http', url: argumentText(entry, reader, url), headers: values(entry, reader, headers) };
}

function argumentText(entry: JsonProperty, reader: Reader, written: Written, before?: string): FoundText {
  const found = foundArgument(written.text, textContext(entry, reader, written.node), before);
  const variable = found.variables.find(({ origin }) => origin === 'clear-text');
  if (variable !== undefined) {
    reader.problems.push({
      code: 'hosts-secret-in-arguments',
      at: reader.document.at(written.node),
      message: inServer(entry, 'a secret stands in clear text where every user of the machine can read it'),
      hint: `hand it over in \`env\` or \`headers\` as \`\${env:${variable.name}}\`, and change the secret`,
      severity: 'warning',
    });
  }
  return found;
}

function values(
  entry: JsonProperty,
  reader: Reader,
  written: ReadonlyMap<string, Written>,
): Readonly<Record<string, FoundText>> {
  const found = Array.from(written, ([key, { text, node }]): [string, FoundText] => [
    key,
    foundValue(key, text, textContext(entry, reader, node)),
  ]);
  return Object.fromEntries(found);
}

function textContext(entry: JsonProperty, { texts, problems, document }: Reader, node: Node): TextContext {
  const unknown = (variable: string): void => {
    problems.push({
      code: 'hosts-variable-unknown',
      at: document.at(node),
      message: inServer(entry, `\`\${${variable}}\` means nothing outside of its own program`),
      hint: 'write the text itself, or a variable of the environment',
      severity: 'warning',
    });
  };
  return { ...texts, server: entry.name, unknown };
}

function warnOfEnvFile(entry: JsonProperty, { document, problems }: Reader): void {
  const envFile = propertyOf(entry.value, 'envFile');
  if (envFile === undefined) return;
  problems.push({
    code: 'hosts-variable-unknown',
    at: document.at(envFile.value),
    message: inServer(entry, 'the variables of its `envFile` are not read'),
    hint: 'name those that the server needs in `env`, as references',
    severity: 'warning',
  });
}
