import { detectSecret } from '../../lib/secrets/detect-secret.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';
import type { ListedServer } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import type { ProbeOptions } from '../port.ts';
import type { ServerDraft } from './server-draft.ts';

/** The features of a draft's server, or why they could not be listed. */
export type ProbeResult =
  | { readonly draft: ServerDraft; readonly listed: ListedServer }
  | {
      readonly draft: ServerDraft;
      readonly error: string;
      /** The last line of its stderr, without secrets. */
      readonly lastLine?: string;
    };

/**
 * Starts the server of each draft once and lists its features. A secret that the config file has in clear text is
 * passed to the server in its variable. `registry` holds a server for each draft.
 */
export async function probeDrafts(
  drafts: readonly ServerDraft[],
  registry: Registry,
  { port, env: baseEnv, signal }: ProbeOptions,
): Promise<readonly ProbeResult[]> {
  const env: Record<string, string | undefined> = { ...baseEnv };
  for (const { secrets } of drafts) for (const [name, secret] of secrets) env[name] = secret.reveal();
  const { discovered, stderrTails } = await port.discoverServers(registry, { env, signal });
  return drafts.map((draft): ProbeResult => {
    const server = discovered.get(draft.name);
    if (server?.status === 'listed') return { draft, listed: server };
    const error = server?.status === 'failed' ? server.error : 'it was not started';
    const lastLine = redactedLastLine(stderrTails.get(draft.name) ?? '', draft, env);
    return { draft, error, ...(lastLine === undefined ? {} : { lastLine }) };
  });
}

const MAX_LINE_CHARACTERS = 200;
/** Shorter values are not redacted: they occur in ordinary text, and are too short for a secret. */
const MIN_SECRET_CHARACTERS = 4;

/**
 * The last line that a process wrote to stderr, safe to show: without control characters, at most 200 characters, and
 * without the values that the server was given. Undefined if the line still seems to hold a secret.
 */
export function redactedLastLine(
  stderr: string,
  draft: ServerDraft,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const last = stderr.split(/\r?\n|\r/).findLast((line) => line.trim() !== '');
  if (last === undefined) return undefined;
  const redacted = redactValues(last.trim(), secretValues(draft, env));
  if (detectSecret('', redacted.replaceAll('${', '$${')) !== undefined) return undefined;
  const line = escapeControlCharacters(redacted);
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS - 1)}…` : line;
}

function redactValues(text: string, values: readonly string[]): string {
  // Longest first: a value may be a prefix of another.
  return [...values]
    .sort((a, b) => b.length - a.length)
    .reduce((line, value) => line.replaceAll(value, '[secret]'), text);
}

/** The value of each reference of the draft, and each line of it. */
function secretValues(
  { transport, secrets }: ServerDraft,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const texts = Object.values(transport.type === 'stdio' ? transport.env : transport.headers);
  const referenced = texts.flatMap((text) => {
    const parts = parseSecretReferences(text);
    return 'message' in parts ? [] : parts.flatMap((part) => (part.kind === 'env' ? (env[part.name] ?? []) : []));
  });
  const values = [...referenced, ...Array.from(secrets.values(), (secret) => secret.reveal())];
  return values
    .flatMap((value) => [value, ...value.split('\n')])
    .filter((value) => value.length >= MIN_SECRET_CHARACTERS);
}
