import { isIP } from 'node:net';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { detectSecret, isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import { argumentDefect, unreadReference, urlDefect } from '../../registry/servers/validate-transport.ts';
import { resolveNpmPackage } from './npm-package.ts';
import { type RequiredVariable, type ServerDraft, toRegistryName } from './server-draft.ts';

/** A server as typed on the command line. */
export interface ServerSpec {
  /** `npm:<package>[@version]` or `https://…`. */
  readonly specification: string;
  /** Default: derived from the specification. */
  readonly name?: string;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** `NAME=value` each: variables of a process, or headers of a URL. Values may hold references. */
  readonly env: readonly string[];
  readonly headers: readonly string[];
}

/** True for an npm package or a URL; anything else is the path of a file. */
export function isServerSpec(specification: string): boolean {
  return /^(?:npm:|https?:\/\/)/.test(specification);
}

/** Makes a draft of a server as typed. @throws ProblemError if a part of it is invalid. */
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
    throw invalidSetting('--header', 'a package takes no headers', 'pass variables with `--env NAME=value`');
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
  if (spec.env.length > 0)
    throw invalidSetting('--env', 'a url takes no variables', 'pass headers with `--header NAME=value`');
  if (spec.args.length > 0) throw invalidSetting('', 'a url takes no arguments', 'write them into the url');
  const headers = parsePairs(spec.headers, '--header');
  return {
    name: nameFor(spec, shortHost(new URL(specification))),
    transport: { type: 'streamable-http', url: specification, headers },
    ...commonFields(headers, spec),
  };
}

/** Short name of a package: `@scope/server-memory` becomes `memory`, `@playwright/mcp` becomes `playwright`. */
function shortName(name: string): string {
  const [own = '', scope = own] = name.replace(/^@/, '').split('/').reverse();
  const short = own.replace(/^(?:mcp-)?server-|-mcp(?:-server)?$|^mcp-/g, '');
  return /^(?:mcp|server|mcp-server)$/.test(short) ? scope : short;
}

/** Short name of a host: `mcp.example.org` and `api.example.org` become `example`; an IP address keeps its port. */
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

/** The variables that the values of `env` or `headers` refer to. */
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
        throw invalidSetting(flag, 'not of the form NAME=value', `write for example \`${flag} 'NAME=$\{env:NAME}'\``);
      const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
      const reason = detectSecret(name, value);
      if (reason !== undefined) throw clearTextSecretError({ flag, name, value, reason });
      return [name, value];
    }),
  );
}

/** Rejects secrets and references in arguments. The message names the position and never quotes the argument. */
function rejectUnsafeArguments(args: readonly string[]): void {
  const problems = args.flatMap((argument, index) =>
    [unreadReference(argument), argumentDefect(argument, args[index - 1])].flatMap((defect): Problem[] => {
      if (defect === undefined) return [];
      const message = `argument ${index + 1} after \`--\`: ${defect.message}`;
      const hint = `every user of the machine can read arguments: pass it as a variable with \`--env 'NAME=$\{env:NAME}'\``;
      return [{ code: defect.code, at: '<args>', message, hint }];
    }),
  );
  if (problems.length > 0) throw new ProblemError(problems);
}

function rejectUnsafeUrl(specification: string): void {
  const defect = urlDefect(specification);
  if (defect === undefined) return;
  const isSecret = defect.code === 'registry-secret-in-clear' || defect.code === 'credentials-reference-invalid';
  const hint = isSecret ? `send it as a header with \`--header 'NAME=$\{env:NAME}'\`` : defect.hint;
  throw new ProblemError([{ ...defect, at: '<server>', hint }]);
}

/** The error for a secret on the command line. It points at the flag, not at a file that is not written yet. */
function clearTextSecretError(pair: {
  readonly flag: string;
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}): ProblemError {
  const { flag, name, value, reason } = pair;
  const [scheme = ''] = /^(?:Bearer|Basic|Token) /i.exec(value) ?? [];
  const message = `a secret in clear text: ${reason}`;
  const hint = `export the secret as an environment variable, and write \`${flag} '${name}=${scheme}$\{env:NAME}'\``;
  return new ProblemError([{ code: 'registry-secret-in-clear', at: flag, message, hint }]);
}

function nameFor({ name, specification }: ServerSpec, shortForm: string): string {
  const derived = name ?? toRegistryName(shortForm);
  if (derived !== undefined) return derived;
  const message = 'cannot derive a valid server name from this';
  throw new ProblemError([{ code: 'registry-no-name', at: specification, message, hint: 'add `--name <name>`' }]);
}

function invalidSetting(at: string, message: string, hint: string): ProblemError {
  return new ProblemError([{ code: 'settings-invalid', at, message, hint }]);
}
