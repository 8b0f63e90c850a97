import { detectSecret } from '../../lib/clear-text-secret.ts';
import { parseSecretReferences } from '../../lib/secret-reference.ts';
import { escapeControlCharacters } from '../../lib/visible-text.ts';
import type { ServerDraft } from './draft.ts';

const MAX_LINE_CHARACTERS = 200;
/** What is shorter is a word of any sentence, and no secret. */
const MIN_SECRET_CHARACTERS = 4;

/**
 * The last line that a process wrote to stderr, made safe to show: no control characters, at most 200 characters, and
 * none of the values that the server was given. A line that still looks like one with a secret is not shown at all.
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
  // The longest first: a value may be the beginning of another.
  return [...values]
    .sort((a, b) => b.length - a.length)
    .reduce((line, value) => line.replaceAll(value, '[secret]'), text);
}

/** Every value behind a reference of the draft, in whole and line by line. */
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
