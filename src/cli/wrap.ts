/** Words in lines of at most so many columns; a word that is longer stands alone on its line. */
export function wrapWords(text: string, width: number): readonly string[] {
  return fillLines(text.split(/\s+/).filter(Boolean), width);
}

/**
 * A command line in lines of at most so many columns that a shell still reads as one: broken between its words with a
 * backslash, never within quotes, nor between a flag and its value.
 */
export function wrapCommandLine(line: string, width: number): readonly string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g) ?? [];
  const units: string[] = [];
  for (const word of words) {
    const last = units.at(-1);
    if (last !== undefined && /^--[\w-]+$/.test(last) && !word.startsWith('-'))
      units[units.length - 1] = `${last} ${word}`;
    else units.push(word);
  }
  const [first = '', ...more] = fillLines(units, width - '  '.length - ' \\'.length);
  const lines = [first, ...more.map((one) => `  ${one}`)];
  return lines.map((one, index) => (index < lines.length - 1 ? `${one} \\` : one));
}

/** Paragraphs, which an empty line divides, in lines of at most so many columns. */
export function wrapParagraphs(text: string, width: number): string {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => wrapWords(paragraph, width).join('\n'))
    .join('\n\n');
}

function fillLines(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const lastLine = lines.at(-1);
    if (lastLine === undefined || lastLine.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${lastLine} ${word}`;
  }
  return lines;
}
