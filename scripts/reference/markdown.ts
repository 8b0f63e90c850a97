/** A Markdown table: heads, then rows. */
export function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)];
}

/** A table of names, as code, and their meanings. */
export function meaningsTable(
  heads: readonly [string, string],
  meanings: Readonly<Record<string, string>>,
): readonly string[] {
  return tableOf(
    heads,
    Object.entries(meanings).map(([name, means]) => [code(name), means]),
  );
}

/** Inline code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** The end of a page: the sources that it is generated from, for those who want to change it. */
export function generatedFrom(sources: readonly string[]): readonly string[] {
  const files = sources
    .map(code)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
  return ['---', '', `This page is generated from ${files} by \`npm run reference\`.`];
}

/** Joins lines, or lists of lines, to the text of a page. */
export function pageOf(parts: readonly (string | readonly string[])[]): string {
  return `${parts.flat().join('\n').trimEnd()}\n`;
}
