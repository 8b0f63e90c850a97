/** One piece of a text that may hold secret references. `offset` is where the piece begins in the text. */
export type ReferencePart =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'env' | 'file'; readonly name: string; readonly offset: number };

/** Why a text is no row of references and plain pieces, in words that quote none of it. */
export interface MalformedReference {
  readonly offset: number;
  readonly message: string;
}

/** A text in which a reader of references finds none: each `${` is written as `$${`. */
export function literalValue(text: string): string {
  return text.replaceAll('${', () => '$${');
}

// `$${` stands for a literal `${`.
const REFERENCE_PATTERN = /\$\$\{|\$\{([^}]*)(\}?)/g;

/** The pieces of a text in which `${env:NAME}` and `${file:PATH}` stand for secrets and `$${` for a literal `${`. */
export function parseSecretReferences(text: string): readonly ReferencePart[] | MalformedReference {
  const parts: ReferencePart[] = [];
  let plain = '';
  let plainAt = 0;
  let end = 0;
  const flush = (): void => {
    if (plain !== '') parts.push({ kind: 'text', text: plain, offset: plainAt });
    plain = '';
  };
  for (const match of text.matchAll(REFERENCE_PATTERN)) {
    if (plain === '') plainAt = end;
    plain += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '$${') {
      plain += '${';
      continue;
    }
    const part = referencePart(match[1] ?? '', { offset: match.index, isClosed: match[2] === '}' });
    if ('message' in part) return part;
    flush();
    parts.push(part);
  }
  if (plain === '') plainAt = end;
  plain += text.slice(end);
  flush();
  return parts;
}

function referencePart(
  body: string,
  { offset, isClosed }: { offset: number; isClosed: boolean },
): ReferencePart | MalformedReference {
  if (!isClosed) return { offset, message: 'a reference is opened and not closed by `}`' };
  const env = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(body);
  if (env?.[1] !== undefined) return { kind: 'env', name: env[1], offset };
  const file = /^file:(\S(?:.*\S)?)$/.exec(body);
  if (file?.[1] !== undefined) return { kind: 'file', name: file[1], offset };
  return { offset, message: 'a reference names neither a variable (`env:NAME`) nor a file (`file:PATH`)' };
}
