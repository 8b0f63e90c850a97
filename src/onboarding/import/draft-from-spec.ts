import { isIP } from 'node:net';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { detectSecret, isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import { argumentDefect, unreadReference, urlDefect } from '../../registry/servers/validate-transport.ts';
import { resolveNpmPackage } from './npm-package.ts';
import type { RequiredVariable, ServerDraft } from './server-draft.ts';
import { toRegistryName } from './server-draft.ts';

/** A server as a person names it on the command line. */
export interface ServerSpec {
  /** `npm:<package>[@version]` or `https://…`. */
  readonly specification: string;
  /** The name that it shall have. Default: made of the specification. */
  readonly name?: string;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** `NAME=value` each: variables of a process, or headers of a url. Values with references as they are written. */
  readonly env: readonly string[];
  readonly headers: readonly string[];
}

/** True for what `draftOfNamed` can read; all else is a file. */
export function isServerSpec(specification: string): boolean {
  return /^(?:npm:|https?:\/\/)/.test(specification);
}

/** Makes a draft of what a person typed. @throws ProblemError for what is wrong with it. */
export async function draftFromSpec(
  spec: ServerSpec,
  options: { readonly dir: string; readonly signal: AbortSignal },
): Promise<ServerDraft> {
  return spec.specification.startsWith('npm:') ? packageDraft(spec, options) : urlDraft(spec);
}

async function packageDraft(
  spec: ServerSpec,
  options: { readonly dir: string; readonly signal: AbortSignal },
): Promise<ServerDraft> {
  if (spec.headers.length > 0)
    throw invalidSetting('--header', 'a package is given no headers', 'write `--env NAME=value`');
  const env = parsePairs(spec.env, '--env');
  rejectUnsafeArguments(spec.args);
  const { name, version } = await resolveNpmPackage(spec.specification.slice('npm:'.length), options);
  return {
    name: nameFor(spec, shortName(name)),
    transport: { type: 'stdio', command: 'npx', args: ['-y', `${name}@${version}`, ...spec.args], env },
    ...commonFields(env, spec),
  };
}

function urlDraft(spec: ServerSpec): ServerDraft {
  const { specification } = spec;
  rejectUnsafeUrl(specification);
  if (spec.env.length > 0) throw invalidSetting('--env', 'a url is given no variables', 'write `--header NAME=value`');
  if (spec.args.length > 0) throw invalidSetting('', 'a url is given no arguments', 'write them into the url');
  const headers = parsePairs(spec.headers, '--header');
  return {
    name: nameFor(spec, shortHost(new URL(specification))),
    transport: { type: 'streamable-http', url: specification, headers },
    ...commonFields(headers, spec),
  };
}

/** `@scope/server-memory` is known as `memory`, `@playwright/mcp` as `playwright`. */
function shortName(name: string): string {
  const [own = '', scope = own] = name.replace(/^@/, '').split('/').reverse();
  const short = own.replace(/^(?:mcp-)?server-|-mcp(?:-server)?$|^mcp-/g, '');
  return /^(?:mcp|server|mcp-server)$/.test(short) ? scope : short;
}

/** `mcp.example.org` and `api.example.org` are both known as `example`; an address by itself and its port. */
function shortHost({ hostname, host }: URL): string {
  const labels = hostname.split('.').filter((label) => !/^(?:mcp|api|www)$/.test(label));
  return isIP(hostname) !== 0 || labels.length < 2 ? host : (labels.at(-2) ?? host);
}

function commonFields(
  values: Readonly<Record<string, string>>,
  { specification }: ServerSpec,
): Pick<ServerDraft, 'variables' | 'secrets' | 'source'> {
  return { variables: variablesIn(values), secrets: new Map(), source: specification };
}

/** The variables that the values of a file refer to. */
export function variablesIn(values: Readonly<Record<string, string>>): readonly RequiredVariable[] {
  const found = new Map<string, RequiredVariable>();
  for (const [key, value] of Object.entries(values)) {
    const parts = parseSecretReferences(value);
    for (const part of 'message' in parts ? [] : parts) {
      if (part.kind !== 'env') continue;
      const isSecret = isSecretKey(key) || isSecretKey(part.name);
      found.set(part.name, { name: part.name, isSecret, wasInClear: false });
    }
  }
  return [...found.values()];
}

function parsePairs(pairs: readonly string[], flag: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0)
        throw invalidSetting(flag, 'this is no name with a value', `write it as in \`${flag} 'NAME=$\{env:NAME}'\``);
      const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
      const reason = detectSecret(name, value);
      if (reason !== undefined) throw clearTextSecretError({ flag, name, value, reason });
      return [name, value];
    }),
  );
}

/** Of a secret that stands where it can be read by others nothing is said but its place. */
function rejectUnsafeArguments(args: readonly string[]): void {
  const problems = args.flatMap((argument, index) =>
    [unreadReference(argument), argumentDefect(argument, args[index - 1])].flatMap((defect): Problem[] => {
      if (defect === undefined) return [];
      const message = `argument ${index + 1} behind \`--\`: ${defect.message}`;
      const hint = `hand it over as a variable, as in \`--env 'NAME=$\{env:NAME}'\`: every user of the machine can read arguments`;
      return [{ code: defect.code, at: '<args>', message, hint }];
    }),
  );
  if (problems.length > 0) throw new ProblemError(problems);
}

function rejectUnsafeUrl(specification: string): void {
  const defect = urlDefect(specification);
  if (defect === undefined) return;
  const isSecret = defect.code === 'registry-secret-in-clear' || defect.code === 'credentials-reference-invalid';
  const hint = isSecret ? `send it as a header, as in \`--header 'NAME=$\{env:NAME}'\`` : defect.hint;
  throw new ProblemError([{ ...defect, at: '<server>', hint }]);
}

/** Told before a file of the registry is thought of: what was typed is mended where it was typed. */
function clearTextSecretError(pair: {
  readonly flag: string;
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}): ProblemError {
  const { flag, name, value, reason } = pair;
  const [scheme = ''] = /^(?:Bearer|Basic|Token) /i.exec(value) ?? [];
  const message = `a secret was given in clear text: ${reason}`;
  const hint = `export the secret under a name, and write \`${flag} '${name}=${scheme}$\{env:NAME}'\``;
  return new ProblemError([{ code: 'registry-secret-in-clear', at: flag, message, hint }]);
}

function nameFor({ name, specification }: ServerSpec, otherwise: string): string {
  const derived = name ?? toRegistryName(otherwise);
  if (derived !== undefined) return derived;
  const message = 'no name of the registry can be made of this';
  throw new ProblemError([{ code: 'registry-no-name', at: specification, message, hint: 'give one with `--name`' }]);
}

function invalidSetting(at: string, message: string, hint: string): ProblemError {
  return new ProblemError([{ code: 'settings-invalid', at, message, hint }]);
}
