/** One part of a text that may hold secret references. `offset` is its position in the text. */
export type ReferencePart =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'env' | 'file'; readonly name: string; readonly offset: number };

/** A defect in a text with references. The message quotes nothing of the text. */
export interface MalformedReference {
  readonly offset: number;
  readonly message: string;
}

/** Escapes a text so that it holds no references: each `${` is written as `$${`. */
export function literalValue(text: string): string {
  return text.replaceAll('${', () => '$${');
}

// `$${` is the escape of a literal `${`.
const REFERENCE_PATTERN = /\$\$\{|\$\{([^}]*)(\}?)/g;

/** Splits a text into literals and references: `${env:NAME}` and `${file:PATH}` stand for secrets, `$${` for a literal `${`. */
export function parseSecretReferences(text: string): readonly ReferencePart[] | MalformedReference {
  const parts: ReferencePart[] = [];
  let literal = '';
  let literalOffset = 0;
  let end = 0;
  const flush = (): void => {
    if (literal !== '') parts.push({ kind: 'text', text: literal, offset: literalOffset });
    literal = '';
  };
  for (const match of text.matchAll(REFERENCE_PATTERN)) {
    if (literal === '') literalOffset = end;
    literal += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '$${') {
      literal += '${';
      continue;
    }
    const part = referencePart(match[1] ?? '', { offset: match.index, isClosed: match[2] === '}' });
    if ('message' in part) return part;
    flush();
    parts.push(part);
  }
  if (literal === '') literalOffset = end;
  literal += text.slice(end);
  flush();
  return parts;
}

function referencePart(
  body: string,
  { offset, isClosed }: { offset: number; isClosed: boolean },
): ReferencePart | MalformedReference {
  if (!isClosed) return { offset, message: 'a reference lacks its closing `}`' };
  const env = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(body);
  if (env?.[1] !== undefined) return { kind: 'env', name: env[1], offset };
  const file = /^file:(\S(?:.*\S)?)$/.exec(body);
  if (file?.[1] !== undefined) return { kind: 'file', name: file[1], offset };
  return { offset, message: 'a reference must be `env:NAME` (a variable) or `file:PATH` (a file)' };
}
