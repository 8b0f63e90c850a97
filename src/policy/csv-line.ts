/** One field of a line: its text without quotes and outer white space, and where it begins (column, from 1). */
export interface CsvField {
  readonly text: string;
  readonly column: number;
  readonly quoted: boolean;
}

/** A line that cannot be split: where (column, from 1) and why. */
export interface CsvDefect {
  readonly column: number;
  readonly defect: string;
}

/**
 * Splits one line by RFC 4180, with white space around fields dropped as Casbin does. A quoted field holds `"` doubled and
 * ends on its own line.
 */
export function splitCsvLine(line: string): readonly CsvField[] | CsvDefect {
  const fields: CsvField[] = [];
  let position = 0;
  for (;;) {
    const start = skipSpaces(line, position);
    const end = line[start] === '"' ? readQuoted(line, start, fields) : readPlain(line, start, fields);
    if (typeof end !== 'number') return end;
    if (end >= line.length) return fields;
    position = end + 1;
  }
}

function readPlain(line: string, start: number, fields: CsvField[]): number | CsvDefect {
  const comma = line.indexOf(',', start);
  const end = comma < 0 ? line.length : comma;
  const text = line.slice(start, end).trimEnd();
  const quote = text.indexOf('"');
  if (quote >= 0) return { column: start + quote + 1, defect: 'a quote inside a field that does not begin with one' };
  fields.push({ text, column: start + 1, quoted: false });
  return end;
}

function readQuoted(line: string, start: number, fields: CsvField[]): number | CsvDefect {
  let from = start + 1;
  for (;;) {
    const quote = line.indexOf('"', from);
    if (quote < 0) return { column: start + 1, defect: 'a quote that is not closed on its line' };
    if (line[quote + 1] !== '"') {
      const end = skipSpaces(line, quote + 1);
      if (end < line.length && line[end] !== ',') return { column: end + 1, defect: 'text behind a closing quote' };
      const text = line
        .slice(start + 1, quote)
        .replaceAll('""', '"')
        .trim();
      fields.push({ text, column: start + 1, quoted: true });
      return end;
    }
    from = quote + 2;
  }
}

function skipSpaces(line: string, from: number): number {
  let position = from;
  while (line[position] === ' ' || line[position] === '\t') position += 1;
  return position;
}
