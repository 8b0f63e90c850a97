import { clearTextSecret } from '../../lib/clear-text-secret.ts';
import { parseReferences } from '../../lib/secret-reference.ts';
import { visibleText } from '../../lib/visible-text.ts';
import type { ServerDraft } from './draft.ts';

const MOST_CHARACTERS = 200;
/** What is shorter is a word of any sentence, and no secret. */
const SHORTEST_SECRET = 4;

/**
 * The last line that a process wrote to stderr, made safe to show: no control characters, at most 200 characters, and
 * none of the values that the server was given. A line that still looks like one with a secret is not shown at all.
 */
export function safeLastLine(
  stderr: string,
  draft: ServerDraft,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const last = stderr.split(/\r?\n|\r/).findLast((line) => line.trim() !== '');
  if (last === undefined) return undefined;
  const hidden = withoutValues(last.trim(), secretsOf(draft, env));
  if (clearTextSecret('', hidden.replaceAll('${', '$${')) !== undefined) return undefined;
  const line = visibleText(hidden);
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

function withoutValues(text: string, values: readonly string[]): string {
  // The longest first: a value may be the beginning of another.
  return [...values]
    .sort((a, b) => b.length - a.length)
    .reduce((line, value) => line.replaceAll(value, '[secret]'), text);
}

/** Every value behind a reference of the draft, in whole and line by line. */
function secretsOf({ transport, secrets }: ServerDraft, env: Readonly<Record<string, string | undefined>>): string[] {
  const texts = Object.values(transport.type === 'stdio' ? transport.env : transport.headers);
  const named = texts.flatMap((text) => {
    const parts = parseReferences(text);
    return 'message' in parts ? [] : parts.flatMap((part) => (part.kind === 'env' ? (env[part.name] ?? []) : []));
  });
  const values = [...named, ...Array.from(secrets.values(), (secret) => secret.reveal())];
  return values.flatMap((value) => [value, ...value.split('\n')]).filter((value) => value.length >= SHORTEST_SECRET);
}
