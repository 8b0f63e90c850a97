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

/** One broken bracket can make thousands of complaints; the first of them say it. */
const MAX_PROBLEMS = 20;

/** A parsed document, the way from an offset to its place, and what is wrong with it so far. */
export interface YamlDocument {
  readonly document: Document.Parsed;
  /** `file:line:column` (from 1) of an offset into the text. */
  readonly locationAt: (offset: number) => string;
  readonly problems: readonly Problem[];
  /** True when what `document` holds is what the file says, though it may hold too much of it. */
  readonly isReadable: boolean;
}

/**
 * Parses one YAML 1.2 document of the core schema, without anchors, aliases, tags and directives: what a reviewer
 * reads at a line is what that line means.
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
    // The library compares each key with each; duplicates are looked for below.
    uniqueKeys: false,
    stringKeys: true,
    strict: true,
    prettyErrors: false,
    // 'silent' would swallow the error of a second document too.
    logLevel: 'error',
    lineCounter: lines,
  });
  // The library's sentences may quote the text, and the text may hold a secret: only its codes are used.
  const syntax = document.errors.slice(0, MAX_PROBLEMS).map((error) => syntaxProblem(error, locationAt));
  const rejected = rejectFeatures(document, locationAt);
  const duplicates = duplicateKeys(document, locationAt);
  const problems = [...syntax, ...rejected.slice(0, MAX_PROBLEMS), ...duplicates.slice(0, MAX_PROBLEMS)];
  const isReadable = rejected.length === 0 && document.errors.length === 0;
  return { document, locationAt, problems, isReadable };
}

function tooDeep(at: string): Problem {
  const message = 'lists and maps are nested too deeply to be read';
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
        hint: 'split it, or take out what is not a setting',
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
      hint: 'delete it; within double quotes an escape such as "\\n" may be written',
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

const SYNTAX_HINT = 'mend the indentation, quote or bracket at that place, or put the text in double quotes';

const SYNTAX_MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'the line is not indented like its neighbours',
  TAB_AS_INDENT: 'a tab indents the line; YAML indents with spaces',
  MISSING_CHAR: 'a character is missing, such as a closing quote or bracket, a colon or a comma',
  UNEXPECTED_TOKEN: 'something stands where nothing may stand',
  BAD_DQ_ESCAPE: 'an escape that YAML does not have',
  BAD_SCALAR_START: 'plain text may not begin with this character',
  NON_STRING_KEY: 'a key must be plain text',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map must begin on its own line',
  BLOCK_IN_FLOW: 'a block list or map stands within brackets',
  BAD_ALIAS: 'an alias without an anchor',
  TAG_RESOLVE_FAILED: 'a tag that is not known',
  BAD_DIRECTIVE: 'a directive that is not known',
};

function rejectFeatures(document: Document.Parsed, locationAt: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  const refuse = (offset: number, feature: string, hint: string): void => {
    problems.push({ code: 'config-refused-yaml', at: locationAt(offset), message: feature, hint });
  };
  const { yaml, tags } = document.directives;
  if (yaml.explicit || Object.keys(tags).some((handle) => handle !== '!!')) {
    refuse(0, 'directives (`%YAML`, `%TAG`) are not read', 'delete the line that begins with `%`');
  }
  visit(document, {
    Node: (_key, node) => {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) return refuse(offset, 'aliases (`*name`) are not read', 'write the value out');
      if (node.anchor !== undefined) refuse(offset, 'anchors (`&name`) are not read', 'delete the anchor');
      if (node.tag !== undefined)
        refuse(offset, 'tags (`!name`) are not read', 'delete the tag; quote text that looks like a number');
      return undefined;
    },
    Pair: (_key, pair) => {
      const key = isNode(pair.key) ? pair.key : undefined;
      if (key !== undefined && 'value' in key && (key.value === '__proto__' || key.value === '<<')) {
        refuse(key.range?.[0] ?? 0, `the key \`${String(key.value)}\` is not read`, 'delete it');
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
        const message = 'the key is written twice in one map';
        if (keys.has(key.value))
          problems.push({ code: 'config-duplicate-key', at, message, hint: 'delete one of the two' });
        keys.add(key.value);
      }
    },
  });
  return problems;
}

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
