import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import type { FoundServer, FoundText, FoundVariable } from '../../hosts/found-server.ts';
import type { Secret } from '../../lib/secret.ts';
import type { HttpTransport, StdioTransport } from '../../registry/server-settings.ts';
import type { NeededVariable, ServerDraft } from './draft.ts';
import { registryNameOf } from './registry-name.ts';

/** Where what was found is to be run. */
export interface FoundSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths in the registry start from. */
  readonly home: string;
}

/** Makes a draft of a server that a host or a manifest declares, or says why none can be made. */
export function draftOfFound(found: FoundServer, around: FoundSurroundings): ServerDraft | Problem {
  // A manifest's name is that of a domain, a slash, and the server's own.
  const name = registryNameOf(found.name.split('/').at(-1) ?? '');
  if (name === undefined) {
    const message = 'no name of the registry can be made of what this server is called';
    return { code: 'registry-no-name', at: found.at, message, hint: 'write its file by hand' };
  }
  const because = whyNot(found);
  if (because !== undefined) return { ...because, at: found.at, severity: 'warning' };
  const transport = transportOf(found, around);
  if ('code' in transport) return transport;
  const values = transport.type === 'stdio' ? transport.env : transport.headers;
  const all = variablesOf(found);
  const { title, description, at } = found;
  return {
    ...{ name, transport, from: at },
    ...(title === undefined ? {} : { title: title.slice(0, 1_000) }),
    ...(description === undefined ? {} : { description: description.slice(0, 1_000) }),
    variables: neededIn(values, all),
    secrets: secretsOf(all),
  };
}

function whyNot({ name, isDisabled, transport }: FoundServer): Omit<Problem, 'at'> | undefined {
  if (isDisabled) {
    const hint = 'enable it there first, or add it with `seneschal registry add`';
    return { code: 'registry-server-disabled', message: `\`${shown(name)}\` is disabled where it was found`, hint };
  }
  if (!isSeneschal(transport)) return undefined;
  const message = `\`${shown(name)}\` is Seneschal itself`;
  return { code: 'registry-server-disabled', message, hint: 'nothing is to be done: it stays in front of the others' };
}

/** A broker whose own entry became one of its servers would call itself without end. */
function isSeneschal(transport: FoundServer['transport']): boolean {
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

function transportOf(found: FoundServer, around: FoundSurroundings): StdioTransport | HttpTransport | Problem {
  const { transport, at, name } = found;
  const hidden = (what: string): Problem => {
    const message = `\`${shown(name)}\`: ${what} holds a secret or an unset variable, which may stand in \`env\` and \`headers\` alone`;
    const hint = 'hand it over there, or write the file of the server by hand';
    return { code: 'hosts-secret-in-arguments', at, message, hint };
  };
  const valuesOf = (texts: Readonly<Record<string, FoundText>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, referringText(text, around)]));
  if (transport.type === 'http') {
    const url = plainText(transport.url, around);
    return url === undefined
      ? hidden('its url')
      : { type: 'streamable-http', url, headers: valuesOf(transport.headers) };
  }
  const command = plainText(transport.command, around);
  const args = transport.args.map((text) => plainText(text, around)).filter((text) => text !== undefined);
  const written = transport.cwd === undefined ? undefined : plainText(transport.cwd, around);
  if (command === undefined || args.length < transport.args.length) return hidden('its command line');
  if (transport.cwd !== undefined && written === undefined) return hidden('its directory');
  const cwd = written ?? startDirectory(found, [command, ...args], around);
  return { type: 'stdio', command, args, env: valuesOf(transport.env), ...(cwd === undefined ? {} : { cwd }) };
}

/** The text itself, where all its variables are known and none is a secret. References are read in values alone. */
function plainText({ text, variables }: FoundText, { env }: FoundSurroundings): string | undefined {
  let plain = text;
  for (const { name, isSecret, value } of variables) {
    const known = env[name] ?? value?.reveal();
    if (isSecret || known === undefined) return undefined;
    plain = plain.replaceAll(`\${env:${name}}`, () => known);
  }
  return plain;
}

/** The text with its references, but for variables that are unset and of which the file says what they are by default. */
function referringText({ text, variables }: FoundText, { env }: FoundSurroundings): string {
  return variables
    .filter(({ name, isSecret, value }) => !isSecret && value !== undefined && (env[name] ?? '') === '')
    .reduce(
      (whole, { name, value }) =>
        whole.replaceAll(`\${env:${name}}`, () => (value?.reveal() ?? '').replaceAll('${', '$${')),
      text,
    );
}

/** The project of a config file, where a relative path of the command line leads to something only from there. */
function startDirectory(
  { at, scope }: FoundServer,
  words: readonly string[],
  { home }: FoundSurroundings,
): string | undefined {
  if (scope === 'user' || scope === 'local') return undefined;
  const file = dirname(resolve(at.replace(/:\d+:\d+$/, '')));
  const project = /^\.(?:cursor|vscode)$/.test(basename(file)) ? dirname(file) : file;
  if (project === resolve(home)) return undefined;
  const isRelative = words.some((word) => /[./]/.test(word) && !isAbsolute(word) && existsSync(join(project, word)));
  return isRelative ? project : undefined;
}

function variablesOf({ transport }: FoundServer): readonly FoundVariable[] {
  return Object.values(transport.type === 'stdio' ? transport.env : transport.headers).flatMap(
    ({ variables }) => variables,
  );
}

function neededIn(
  values: Readonly<Record<string, string>>,
  variables: readonly FoundVariable[],
): readonly NeededVariable[] {
  const texts = Object.values(values);
  const needed = variables
    .filter(({ name }) => texts.some((text) => text.includes(`\${env:${name}}`)))
    .map(({ name, isSecret, origin, value, description }): NeededVariable => {
      const wasInClear = origin === 'clear-text' || (isSecret && value !== undefined);
      return { name, isSecret, wasInClear, ...(description === undefined ? {} : { description }) };
    });
  return [...new Map(needed.map((variable) => [variable.name, variable])).values()];
}

function secretsOf(variables: readonly FoundVariable[]): ReadonlyMap<string, Secret> {
  return new Map(
    variables.flatMap(({ name, isSecret, value }) => (isSecret && value !== undefined ? [[name, value] as const] : [])),
  );
}

function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/gu, '?').slice(0, 64);
}
