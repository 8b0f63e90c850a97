import type { Secret } from '../../lib/secrets/secret.ts';
import type { HttpTransport, StdioTransport } from '../../registry/servers/settings.ts';

/** A variable that a server's file refers to and that must be set where the broker is started. */
export interface RequiredVariable {
  readonly name: string;
  readonly isSecret: boolean;
  /** True when a secret of this name stood in clear text where the server was found. */
  readonly wasInClear: boolean;
  /** What it is, for people. */
  readonly description?: string;
}

/** A tool server that may become a file of the registry. Nothing of it is a secret but `secrets`. */
export interface ServerDraft {
  /** A name of the registry. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** With secrets as references. */
  readonly transport: StdioTransport | HttpTransport;
  readonly variables: readonly RequiredVariable[];
  /** What stood in clear text, by the name of its variable: for the one start, and to keep it out of what is shown. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Where it was found, such as `.mcp.json:3:5`; a specification such as `npm:…` where a person named it. */
  readonly source: string;
}

/** The exact command line, as one may type it, or the url. */
export function commandLine({ transport }: Pick<ServerDraft, 'transport'>): string {
  return transport.type === 'stdio' ? [transport.command, ...transport.args].map(shellWord).join(' ') : transport.url;
}

/** Names of the variables that a process gets, or of the headers that are sent: never values. */
export function inputNames({ transport }: Pick<ServerDraft, 'transport'>): readonly string[] {
  return Object.keys(transport.type === 'stdio' ? transport.env : transport.headers);
}

/** A word as a POSIX shell reads it. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Longest name of the registry. */
const MAX_NAME_CHARACTERS = 63;

/**
 * The name of the registry that a free name becomes: `GitHub Issues` is `github-issues`. Undefined where nothing of it
 * may stand in one.
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
