import { Lexer, Parser } from 'yaml';

/** Deepest nesting of lists and maps that is read; each level of writing takes about two. */
const MAX_YAML_DEPTH = 128;

/**
 * The offset at which a YAML text nests too deeply; undefined when it does not. To be asked before the text is
 * composed: composing recurses, and an exhausted stack within it can end the process instead of throwing.
 */
export function offsetOfExcessDepth(text: string): number | undefined {
  const parser = new Parser();
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > MAX_YAML_DEPTH) return offset;
    // The lexer's own marks for document start, scalar and flow end stand for no text.
    if (lexeme !== '\u0002' && lexeme !== '\u0018' && lexeme !== '\u001f') offset += lexeme.length;
  }
  return undefined;
}
