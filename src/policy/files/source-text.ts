import type { Problem } from '../../domain/problem.ts';

/** The decoded text of a policy file. */
export interface SourceText {
  readonly file: string;
  /** Lines without their line ends (`\n` or `\r\n`). */
  readonly lines: readonly string[];
  readonly text: string;
}

// Besides the C0 and C1 controls: line separators, bidirectional overrides and invisible characters, which can make a row
// look different in a review from what is enforced (CVE-2021-42574).
const FORBIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029\u00ad\ufffe\uffff]/u;

/** Decodes a policy file strictly: UTF-8 without byte order mark, and no control characters except tab and line ends. */
export function readSourceText(file: string, data: string | Uint8Array, problems: Problem[]): SourceText {
  const text = typeof data === 'string' ? data : decode(file, data, problems);
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').replace(/\r$/, '');
    lines[index] = line;
    checkCharacters(line, { file, line: index + 1 }, problems);
  }
  return { file, lines, text };
}

function decode(file: string, bytes: Uint8Array, problems: Problem[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const before = validPrefixLength(bytes);
    const line = before.split('\n').length;
    problems.push({
      code: 'policy-encoding',
      at: `${file}:${line}:${before.length - before.lastIndexOf('\n')}`,
      message: 'the file is not UTF-8',
      hint: 'save the file as UTF-8',
    });
    return '';
  }
}

/** The text of the longest prefix that is valid UTF-8. */
function validPrefixLength(bytes: Uint8Array): string {
  let low = 0;
  let high = bytes.length;
  // A streaming decoder accepts a prefix exactly when it ends before the first invalid byte, so a binary search finds it.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (decodesAsPrefix(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, low), { stream: true });
}

function decodesAsPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function checkCharacters(line: string, location: { file: string; line: number }, problems: Problem[]): void {
  const clean = line.includes('\t') ? line.replaceAll('\t', ' ') : line;
  const character = FORBIDDEN.exec(clean);
  const at = (column: number): string => `${location.file}:${location.line}:${column}`;
  if (character === null) {
    if (clean.isWellFormed()) return;
    const message = 'the line has a lone surrogate';
    problems.push({ code: 'policy-encoding', at: at(1), message, hint: 'save the file as UTF-8' });
    return;
  }
  const codePoint = character[0].codePointAt(0) ?? 0;
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  if (codePoint === 0xfeff && location.line === 1 && character.index === 0) {
    const message = 'the file begins with a byte order mark';
    const hint = 'save the file as UTF-8 without byte order mark';
    problems.push({ code: 'policy-encoding', at: at(1), message, hint });
    return;
  }
  problems.push({
    code: 'policy-control-character',
    at: at(character.index + 1),
    message: `the control or invisible character \`${name}\` is not allowed`,
    hint: 'delete the character',
  });
}
