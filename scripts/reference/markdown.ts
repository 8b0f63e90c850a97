/** A table of Markdown: its heads, then its rows. */
export function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)];
}

/** A table of names and what they mean, each name as code. */
export function meaningsTable(
  heads: readonly [string, string],
  meanings: Readonly<Record<string, string>>,
): readonly string[] {
  return tableOf(
    heads,
    Object.entries(meanings).map(([name, means]) => [code(name), means]),
  );
}

/** A word or a piece of code within a line. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** The line under the title: the shape of the page, and where it comes from. */
export function madeFrom(sources: readonly string[]): string {
  const files = sources
    .map(code)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
  return `Reference. Made by \`npm run reference\` from ${files}; a test compares.`;
}

/** The text of a page: lines, or lists of lines. */
export function pageOf(parts: readonly (string | readonly string[])[]): string {
  return `${parts.flat().join('\n').trimEnd()}\n`;
}
