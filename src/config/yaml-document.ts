import {
  type Document,
  isAlias,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Problem } from '../domain/problem.ts';

/** Largest YAML file that is read, in bytes of UTF-8. */
export const MAX_YAML_BYTES = 1_048_576;

/** Limit of problems of each kind: one broken bracket can cause thousands. */
const MAX_PROBLEMS = 20;

/** A parsed document with its problems. */
export interface YamlDocument {
  readonly document: Document.Parsed;
  /** `file:line:column` (from 1) of an offset into the text. */
  readonly locationAt: (offset: number) => string;
  readonly problems: readonly Problem[];
  /** True if `document` has the content of the file, apart from duplicate keys. */
  readonly isReadable: boolean;
}

/**
 * Parses one YAML 1.2 document of the core schema. Anchors, aliases, tags and directives are refused, so that each line
 * means what a reviewer reads there.
 */
export function parseYamlDocument(file: string, text: string): YamlDocument | Problem[] {
  const invalid = invalidText(file, text);
  if (invalid.length > 0) return invalid;
  const lines = new LineCounter();
  const locationAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const deepAt = offsetOfExcessDepth(text);
  if (deepAt !== undefined) return [tooDeep(locationIn(file, text, deepAt))];
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    // The library compares every key with every other; `duplicateKeys` below takes linear time.
    uniqueKeys: false,
    stringKeys: true,
    strict: true,
    prettyErrors: false,
    // 'silent' would also suppress the error of a second document.
    logLevel: 'error',
    lineCounter: lines,
  });
  // Messages of the library may quote the text, and the text may hold a secret: use only its codes.
  const syntax = document.errors.slice(0, MAX_PROBLEMS).map((error) => syntaxProblem(error, locationAt));
  const rejected = rejectFeatures(document, locationAt);
  const duplicates = duplicateKeys(document, locationAt);
  const problems = [...syntax, ...rejected.slice(0, MAX_PROBLEMS), ...duplicates.slice(0, MAX_PROBLEMS)];
  const isReadable = rejected.length === 0 && document.errors.length === 0;
  return { document, locationAt, problems, isReadable };
}

function tooDeep(at: string): Problem {
  const message = 'lists and maps are nested too deeply';
  return { code: 'config-too-large', at, message, hint: 'nest at most a few dozen levels' };
}

function locationIn(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

// All control characters but tab and line ends, line and paragraph separators, bidirectional overrides, lone surrogates.
const CONTROL_CHARACTERS =
  /(?![\t\n\r])\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}|\p{Noncharacter_Code_Point}/gu;

function invalidText(file: string, text: string): Problem[] {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    return [
      {
        code: 'config-too-large',
        at: file,
        message: `the file is larger than ${MAX_YAML_BYTES} bytes`,
        hint: 'split the file, or remove content that is not a setting',
      },
    ];
  }
  const problems: Problem[] = [];
  for (const match of text.matchAll(CONTROL_CHARACTERS)) {
    if (match.index === 0 && match[0] === '\ufeff') continue;
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    problems.push({
      code: 'config-control-character',
      at: locationIn(file, text, match.index),
      message: `control character U+${code}`,
      hint: 'delete it, or write an escape such as "\\n" within double quotes',
    });
    if (problems.length === MAX_PROBLEMS) break;
  }
  return problems;
}

function syntaxProblem(error: YAMLError, locationAt: (offset: number) => string): Problem {
  const at = locationAt(error.pos[0]);
  if (error.code === 'MULTIPLE_DOCS') {
    return {
      code: 'config-refused-yaml',
      at,
      message: 'a second document begins here',
      hint: 'keep one document per file; delete the `---`',
    };
  }
  return { code: 'config-syntax', at, message: SYNTAX_MESSAGES[error.code] ?? 'this is not YAML', hint: SYNTAX_HINT };
}

const SYNTAX_HINT = 'fix the indentation, quote or bracket at that place, or put the text in double quotes';

const SYNTAX_MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'the line is not indented like its neighbours',
  TAB_AS_INDENT: 'a tab indents the line; YAML indents with spaces',
  MISSING_CHAR: 'a character is missing, such as a closing quote or bracket, a colon or a comma',
  UNEXPECTED_TOKEN: 'unexpected text',
  BAD_DQ_ESCAPE: 'unknown escape sequence',
  BAD_SCALAR_START: 'unquoted text may not begin with this character',
  NON_STRING_KEY: 'a key must be plain text',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map must begin on its own line',
  BLOCK_IN_FLOW: 'a block list or map is within brackets',
  BAD_ALIAS: 'an alias without an anchor',
  TAG_RESOLVE_FAILED: 'unknown tag',
  BAD_DIRECTIVE: 'unknown directive',
};

function rejectFeatures(document: Document.Parsed, locationAt: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  const refuse = (offset: number, feature: string, hint: string): void => {
    problems.push({ code: 'config-refused-yaml', at: locationAt(offset), message: feature, hint });
  };
  const { yaml, tags } = document.directives;
  if (yaml.explicit || Object.keys(tags).some((handle) => handle !== '!!')) {
    refuse(0, 'directives (`%YAML`, `%TAG`) are not supported', 'delete the line that begins with `%`');
  }
  visit(document, {
    Node: (_key, node) => {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) return refuse(offset, 'aliases (`*name`) are not supported', 'write the value out');
      if (node.anchor !== undefined) refuse(offset, 'anchors (`&name`) are not supported', 'delete the anchor');
      if (node.tag !== undefined)
        refuse(offset, 'tags (`!name`) are not supported', 'delete the tag; quote text that looks like a number');
      return undefined;
    },
    Pair: (_key, pair) => {
      const key = isNode(pair.key) ? pair.key : undefined;
      if (key !== undefined && 'value' in key && (key.value === '__proto__' || key.value === '<<')) {
        refuse(key.range?.[0] ?? 0, `the key \`${String(key.value)}\` is not supported`, 'delete it');
      }
      return undefined;
    },
  });
  return problems;
}

function duplicateKeys(document: Document.Parsed, locationAt: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map: (_key, map) => {
      const keys = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const at = locationAt(key.range?.[0] ?? 0);
        const message = 'the map has this key twice';
        if (keys.has(key.value))
          problems.push({ code: 'config-duplicate-key', at, message, hint: 'delete one of the two' });
        keys.add(key.value);
      }
    },
  });
  return problems;
}

/** Deepest parser stack that is accepted; each level of lists and maps takes about two. */
const MAX_YAML_DEPTH = 128;

/**
 * The offset at which a YAML text nests too deeply; undefined if it does not. Call it before the text is composed:
 * composing recurses, and an exhausted stack there can end the process instead of throwing.
 */
export function offsetOfExcessDepth(text: string): number | undefined {
  const parser = new Parser();
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > MAX_YAML_DEPTH) return offset;
    // Lexer tokens for document start, scalar and flow end are not part of the text.
    if (lexeme !== '\u0002' && lexeme !== '\u0018' && lexeme !== '\u001f') offset += lexeme.length;
  }
  return undefined;
}
