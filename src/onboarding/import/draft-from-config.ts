import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import type { Secret } from '../../lib/secrets/secret.ts';
import type { HttpTransport, StdioTransport } from '../../registry/servers/settings.ts';
import type { ConfiguredServer, ConfigValue, ConfigVariable } from '../hosts/configured-server.ts';
import { readServerFiles, scanHosts } from '../hosts/scan-hosts.ts';
import type { Env } from '../port.ts';
import { type RequiredVariable, type ServerDraft, toRegistryName } from './server-draft.ts';

/** Context in which the servers of config files are imported. */
export interface ImportContext {
  readonly env: Env;
  /** The directory that holds the registry. Relative paths in the registry start from it. */
  readonly home: string;
}

/** Makes a draft of a server in a host's config or a manifest; a problem if that is not possible. */
export function draftFromConfig(server: ConfiguredServer, context: ImportContext): ServerDraft | Problem {
  // A name in a manifest is a reversed domain, a slash, and the server's own name.
  const name = toRegistryName(server.name.split('/').at(-1) ?? '');
  if (name === undefined) {
    const message = `cannot derive a valid server name from \`${printableName(server.name)}\``;
    const hint = 'rename the server in this file to a name with letters a to z or digits';
    return { code: 'registry-no-name', at: server.at, message, hint };
  }
  const exclusion = exclusionReason(server);
  if (exclusion !== undefined) return { ...exclusion, at: server.at, severity: 'warning' };
  const transport = toTransport(server, context);
  if ('code' in transport) return transport;
  const texts = transport.type === 'stdio' ? transport.env : transport.headers;
  const variables = variablesOf(server);
  const { title, description, at } = server;
  return {
    name,
    transport,
    source: at,
    ...(title === undefined ? {} : { title: title.slice(0, 1_000) }),
    ...(description === undefined ? {} : { description: description.slice(0, 1_000) }),
    variables: requiredVariables(texts, variables),
    secrets: secretsOf(variables),
  };
}

function exclusionReason({ name, isDisabled, transport }: ConfiguredServer): Omit<Problem, 'at'> | undefined {
  if (isDisabled) {
    const message = `\`${printableName(name)}\` is disabled in this file, so it is left out`;
    const hint = 'enable it in the file and run the command again, or add it with `seneschal registry add`';
    return { code: 'registry-server-disabled', message, hint };
  }
  if (!isSeneschal(transport)) return undefined;
  const message = `\`${printableName(name)}\` is Seneschal itself, so it is left out`;
  return { code: 'registry-server-disabled', message, hint: 'nothing to do: keep the entry' };
}

/** Recognises the broker's own entry. As one of its own servers the broker would call itself in an endless loop. */
function isSeneschal(transport: ConfiguredServer['transport']): boolean {
  if (transport.type === 'http') {
    const values = Object.values(transport.headers).flatMap(({ variables }) => variables);
    return values.some(({ value }) => /^sen_[0-9a-f]{16}_/.test(value?.reveal() ?? ''));
  }
  const words = [transport.command, ...transport.args].map(({ text }) => text);
  return (
    words.includes('stdio') &&
    words.includes('--agent') &&
    words.some((word) => /(?:^|\/)seneschal(?:@|$)|\/cli\/main\.[jt]s$/.test(word))
  );
}

function toTransport(server: ConfiguredServer, context: ImportContext): StdioTransport | HttpTransport | Problem {
  const { transport, at, name } = server;
  const secretProblem = (what: string): Problem => {
    const message = `\`${printableName(name)}\`: ${what} contains a secret or an unset variable; only \`env\` and \`headers\` may`;
    const hint = 'pass it in `env` or `headers`, or set the variable if it is not a secret';
    return { code: 'hosts-secret-in-arguments', at, message, hint };
  };
  const valuesOf = (texts: Readonly<Record<string, ConfigValue>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, referenceText(text, context)]));
  if (transport.type === 'http') {
    const url = resolveText(transport.url, context);
    return url === undefined
      ? secretProblem('its url')
      : { type: 'streamable-http', url, headers: valuesOf(transport.headers) };
  }
  const command = resolveText(transport.command, context);
  const args = transport.args.map((text) => resolveText(text, context)).filter((text) => text !== undefined);
  const configuredCwd = transport.cwd === undefined ? undefined : resolveText(transport.cwd, context);
  if (command === undefined || args.length < transport.args.length) return secretProblem('its command line');
  if (transport.cwd !== undefined && configuredCwd === undefined) return secretProblem('its directory');
  const cwd = configuredCwd ?? workingDirectory(server, [command, ...args], context);
  return { type: 'stdio', command, args, env: valuesOf(transport.env), ...(cwd === undefined ? {} : { cwd }) };
}

/** Resolves the variables of a text; undefined if one is unknown or a secret, since only values may hold references. */
function resolveText({ text, variables }: ConfigValue, { env }: ImportContext): string | undefined {
  let plain = text;
  for (const { name, isSecret, value } of variables) {
    const resolved = env[name] ?? value?.reveal();
    if (isSecret || resolved === undefined) return undefined;
    plain = plain.replaceAll(`\${env:${name}}`, () => resolved);
  }
  return plain;
}

/** The text with its references, but with the file's default for a variable that is not a secret and not set. */
function referenceText({ text, variables }: ConfigValue, { env }: ImportContext): string {
  return variables
    .filter(({ name, isSecret, value }) => !isSecret && value !== undefined && (env[name] ?? '') === '')
    .reduce(
      (result, { name, value }) =>
        result.replaceAll(`\${env:${name}}`, () => (value?.reveal() ?? '').replaceAll('${', '$${')),
      text,
    );
}

/** The directory of the config file's project, if a relative path on the command line exists there. */
function workingDirectory(
  { at, scope }: ConfiguredServer,
  words: readonly string[],
  { home }: ImportContext,
): string | undefined {
  if (scope === 'user' || scope === 'local') return undefined;
  const file = dirname(resolve(at.replace(/:\d+:\d+$/, '')));
  const project = /^\.(?:cursor|vscode)$/.test(basename(file)) ? dirname(file) : file;
  if (project === resolve(home)) return undefined;
  const isRelative = words.some((word) => /[./]/.test(word) && !isAbsolute(word) && existsSync(join(project, word)));
  return isRelative ? project : undefined;
}

function variablesOf({ transport }: ConfiguredServer): readonly ConfigVariable[] {
  return Object.values(transport.type === 'stdio' ? transport.env : transport.headers).flatMap(
    ({ variables }) => variables,
  );
}

function requiredVariables(
  values: Readonly<Record<string, string>>,
  variables: readonly ConfigVariable[],
): readonly RequiredVariable[] {
  const texts = Object.values(values);
  const required = variables
    .filter(({ name }) => texts.some((text) => text.includes(`\${env:${name}}`)))
    .map(({ name, isSecret, origin, value, description }): RequiredVariable => {
      const wasInClear = origin === 'clear-text' || (isSecret && value !== undefined);
      return { name, isSecret, wasInClear, ...(description === undefined ? {} : { description }) };
    });
  return [...new Map(required.map((variable) => [variable.name, variable])).values()];
}

function secretsOf(variables: readonly ConfigVariable[]): ReadonlyMap<string, Secret> {
  return new Map(
    variables.flatMap(({ name, isSecret, value }) => (isSecret && value !== undefined ? [[name, value] as const] : [])),
  );
}

function printableName(name: string): string {
  return name.replace(/[^\x20-\x7e]/gu, '?').slice(0, 64);
}

/** Files to search for servers. */
export interface DraftSources {
  /** Files that the user named. */
  readonly files: readonly string[];
  /** Also the config files of the agent hosts on this machine. */
  readonly discover: boolean;
}

/** The servers that were found. */
export interface DraftSearch {
  readonly drafts: readonly ServerDraft[];
  /** Unreadable files, and servers that are left out. */
  readonly problems: readonly Problem[];
  /** Discovered config files that were read. */
  readonly configFiles: readonly string[];
}

/** Reads the servers of one file that the user named. If it has none, there is at least one problem. */
export function draftsInFile(file: string, context: ImportContext): DraftSearch {
  const search = findDrafts({ files: [file], discover: false }, context);
  if (search.drafts.length > 0 || search.problems.length > 0) return search;
  const hint = 'name a file with `mcpServers` or `servers`, or a server.json';
  const noServer: Problem = { code: 'init-nothing-found', at: file, message: 'the file has no servers', hint };
  return { ...search, problems: [noServer] };
}

/** Reads the servers of config files and manifests as drafts with unique names. Starts and writes nothing. */
export function findDrafts({ files, discover }: DraftSources, context: ImportContext): DraftSearch {
  const machine = { userHome: homedir(), project: resolve('.'), platform: process.platform, env: context.env };
  const named = readServerFiles(files, machine);
  const scan = discover ? scanHosts(machine) : { configs: [], servers: [], problems: [] };
  const results = [...named.servers, ...scan.servers].map((server) => draftFromConfig(server, context));
  return {
    drafts: uniqueDrafts(results.filter((each) => 'transport' in each)),
    problems: [...named.problems, ...scan.problems, ...results.filter((each) => 'code' in each)],
    configFiles: scan.configs.map(({ file }) => file),
  };
}

/** Merges drafts of the same server, and renames different servers that have the same name. */
function uniqueDrafts(drafts: readonly ServerDraft[]): readonly ServerDraft[] {
  const byName = new Map<string, ServerDraft>();
  for (const draft of drafts) {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? draft.name : `${draft.name.slice(0, 59)}-${number}`;
      const other = byName.get(name);
      if (other === undefined) byName.set(name, { ...draft, name });
      if (other === undefined || isSameServer(other, draft)) break;
    }
  }
  return [...byName.values()];
}

function isSameServer(a: ServerDraft, b: ServerDraft): boolean {
  return JSON.stringify(a.transport) === JSON.stringify(b.transport);
}
