import type { Secret } from '../../lib/secrets/secret.ts';
import type { HttpTransport, StdioTransport } from '../../registry/servers/settings.ts';

/** An environment variable that a server's file refers to. It must be set where the broker starts. */
export interface RequiredVariable {
  readonly name: string;
  readonly isSecret: boolean;
  /** True if the file that the server was found in has this secret in clear text. */
  readonly wasInClear: boolean;
  /** Description for the user. */
  readonly description?: string;
}

/** A tool server that may be added to the registry. Only `secrets` holds secrets. */
export interface ServerDraft {
  /** A valid name for the registry. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** Its secrets are references. */
  readonly transport: StdioTransport | HttpTransport;
  readonly variables: readonly RequiredVariable[];
  /** Secrets that the file had in clear text, by variable name: to start the server once, and to redact its output. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Position in the file that it was found in, such as `.mcp.json:3:5`, or the specification that the user typed. */
  readonly source: string;
}

/** The exact command line, quoted for a shell, or the URL. */
export function commandLine({ transport }: Pick<ServerDraft, 'transport'>): string {
  return transport.type === 'stdio' ? [transport.command, ...transport.args].map(shellWord).join(' ') : transport.url;
}

/** Names of the variables passed to a process, or of the headers sent: never values. */
export function inputNames({ transport }: Pick<ServerDraft, 'transport'>): readonly string[] {
  return Object.keys(transport.type === 'stdio' ? transport.env : transport.headers);
}

/** Quotes a word for a POSIX shell. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Longest name in the registry. */
const MAX_NAME_CHARACTERS = 63;

/**
 * Converts a text to a valid name for the registry: `GitHub Issues` becomes `github-issues`. Undefined if no character
 * is left.
 */
export function toRegistryName(text: string): string | undefined {
  const name = text
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_NAME_CHARACTERS)
    .replace(/-+$/, '');
  return name === '' ? undefined : name;
}
