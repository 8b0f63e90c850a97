import { RE2JS } from 're2js';
import { MAX_URI_LENGTH } from './uri.ts';

/** A variable part of a template. `segment` holds no `/`, `?` or `#`; `rest` may hold anything. */
export type Gap = 'segment' | 'rest';

/** A parsed URI template (RFC 6570), which can match URIs but not expand variables. */
export interface UriTemplate {
  /** Literals and gaps in order, without expressions that may expand to nothing, such as `{?q}`. */
  readonly parts: readonly (string | { readonly gap: Gap })[];
  /** True when the template can expand to this URI. Linear in the length of the URI. */
  matches(uri: string): boolean;
}

const MAX_EXPRESSIONS = 16;
const LITERAL = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;
const EXPRESSION = /^([+#./;?&]?)([A-Za-z0-9_.%]+(?:\*|:[1-9]\d{0,3})?(?:,[A-Za-z0-9_.%]+(?:\*|:[1-9]\d{0,3})?)*)$/;

/** Pattern of an expression by its operator. `{x}` and `{+x}` expand to at least one character, the others may be empty. */
const PATTERN_BY_OPERATOR: Readonly<Record<string, string>> = {
  '': '[^/?#]+',
  '+': '.+',
  '#': '(?:#.*)?',
  '.': '(?:\\.[^/?#]*)?',
  '/': '(?:/[^?#]*)?',
  ';': '(?:;[^/?#]*)?',
  '?': '(?:\\?[^#]*)?',
  '&': '(?:&[^#]*)?',
};

const GAPS: Readonly<Record<string, Gap>> = { '': 'segment', '+': 'rest' };

/** Parses a URI template. @returns the template, or one clause that says why it is refused. */
export function parseUriTemplate(text: string): UriTemplate | string {
  if (text.length > MAX_URI_LENGTH) return `it has more than ${MAX_URI_LENGTH} characters`;
  // A template with a variable scheme would claim the URIs of every server.
  if (!/^[a-z][a-z0-9+.-]*:/.test(text)) return 'it does not begin with a scheme in lower case';
  const pieces = text.split(/\{([^{}]*)\}/);
  if (pieces.length > 2 * MAX_EXPRESSIONS + 1) return `it has more than ${MAX_EXPRESSIONS} expressions`;
  const parts: (string | { readonly gap: Gap })[] = [];
  let pattern = '';
  for (const [index, piece] of pieces.entries()) {
    const isLiteral = index % 2 === 0;
    const [, operator] = (isLiteral ? undefined : EXPRESSION.exec(piece)) ?? [];
    if (isLiteral ? !LITERAL.test(piece) : operator === undefined) return 'it is not a URI template of RFC 6570';
    if (operator === undefined) {
      parts.push(piece);
      pattern += RE2JS.quote(piece);
      continue;
    }
    const gap = GAPS[operator];
    if (gap !== undefined) parts.push({ gap });
    pattern += PATTERN_BY_OPERATOR[operator] ?? '';
  }
  const compiled = RE2JS.compile(pattern);
  return { parts, matches: (uri) => compiled.matches(uri) };
}
