import { ACTIONS, type Action } from '../../domain/call.ts';
import type { ErrorCode } from '../../domain/error-codes.ts';
import type { Problem } from '../../domain/problem.ts';
import type { Condition, ConditionCompiler } from '../conditions/condition.ts';
import type { GrantRow, LinkRow } from './grant-row.ts';
import { idDefect, OBJECT_KINDS, SUBJECT_KINDS } from './id-defect.ts';
import type { SourceText } from './source-text.ts';

/** One column of a row: its name in messages, and what may stand in it. */
export interface RowColumn {
  readonly name: string;
  readonly description: string;
}

/** What a row of `policy.csv` says, and its columns after the first, which is its kind. */
export interface RowKind {
  readonly description: string;
  readonly columns: readonly RowColumn[];
}

/** The kinds of rows. What is not here is refused. */
export const ROW_KINDS: { readonly p: RowKind; readonly g: RowKind; readonly g2: RowKind } = {
  p: {
    description: 'A grant, or a prohibition',
    columns: [
      { name: 'who', description: '`agent:<glob>`, `role:<name>` or `team:<name>`' },
      {
        name: 'what',
        description:
          '`tool:<glob>`, such as `tool:files/read_*`, `server:<name>` for what a server may ask, or `set:<name>`',
      },
      { name: 'action', description: 'an action, or `*` for every one' },
      { name: 'when', description: 'a condition in CEL; empty: always' },
      { name: 'effect', description: '`allow` or `deny`' },
    ],
  },
  g: {
    description: 'A membership of an agent in a role, or of a role in a role',
    columns: [
      { name: 'who', description: '`agent:<name>` or `role:<name>`, without `*`' },
      { name: 'role', description: '`role:<name>`' },
    ],
  },
  g2: {
    description: 'A membership of a tool in a set, or of a set in a set',
    columns: [
      { name: 'what', description: '`tool:<server>/<tool>` or `set:<name>`, without `*`' },
      { name: 'set', description: '`set:<name>`' },
    ],
  },
};

/** The names of all columns of a kind, its own first. */
export function columnsFor(kind: keyof typeof ROW_KINDS): readonly string[] {
  return [kind, ...ROW_KINDS[kind].columns.map(({ name }) => name)];
}

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

/** Everything a `policy.csv` says, row by row. */
export interface PolicyRows {
  readonly grants: readonly GrantRow[];
  readonly roleLinks: readonly LinkRow[];
  readonly setLinks: readonly LinkRow[];
  readonly conditions: ReadonlyMap<string, Condition>;
}

const ACTION_SET: ReadonlyMap<string, Action | '*'> = new Map([
  ...ACTIONS.map((action): [string, Action] => [action, action]),
  ['*', '*'],
]);
const COLUMNS = { p: columnsFor('p'), g: columnsFor('g'), g2: columnsFor('g2') };

/** Parses the rows of `policy.csv`; each row that is not right becomes one or more problems. */
export function parsePolicyRows(source: SourceText, compile: ConditionCompiler, problems: Problem[]): PolicyRows {
  const reader = new RowReader(source.file, compile, problems);
  source.lines.forEach((line, index) => {
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) reader.read(line, index + 1);
  });
  return reader;
}

class RowReader implements PolicyRows {
  readonly grants: GrantRow[] = [];
  readonly roleLinks: LinkRow[] = [];
  readonly setLinks: LinkRow[] = [];
  readonly conditions = new Map<string, Condition>();
  readonly #byText = new Map<string, string>();
  readonly #file: string;
  readonly #compile: ConditionCompiler;
  readonly #problems: Problem[];
  #line = 0;
  #refused = false;

  constructor(file: string, compile: ConditionCompiler, problems: Problem[]) {
    this.#file = file;
    this.#compile = compile;
    this.#problems = problems;
  }

  read(line: string, number: number): void {
    this.#line = number;
    this.#refused = false;
    const fields = splitCsvLine(line);
    if ('defect' in fields) {
      const hint = 'write `"` around the field, and a quote inside it as `""`';
      this.#refuse('policy-quoting', fields.column, { message: fields.defect, hint });
      return;
    }
    const type = fields[0]?.text;
    if (type === 'p') this.#readGrant(fields, line);
    else if (type === 'g') this.#readLink('g', fields);
    else if (type === 'g2') this.#readLink('g2', fields);
    else {
      const hint = 'write `p`, `g` or `g2`, or begin the line with `#`';
      this.#refuse('policy-row-unknown', fields[0]?.column ?? 1, {
        message: `unknown row type \`${type ?? ''}\``,
        hint,
      });
    }
  }

  #refuse(code: ErrorCode, column: number, problem: { readonly message: string; readonly hint: string }): void {
    this.#refused = true;
    this.#problems.push({ code, at: `${this.#file}:${this.#line}:${column}`, ...problem });
  }

  #hasColumns(fields: readonly CsvField[], names: readonly string[]): boolean {
    if (fields.length === names.length) return true;
    const hint = `write \`${names.join(', ')}\``;
    const extra = fields[names.length];
    if (extra !== undefined) {
      this.#refuse('policy-column-extra', extra.column, {
        message: `${fields.length} columns of ${names.length}`,
        hint,
      });
    } else {
      const last = fields.at(-1);
      const message = `${fields.length} columns of ${names.length}`;
      this.#refuse('policy-column-missing', (last?.column ?? 1) + (last?.text.length ?? 0), { message, hint });
    }
    return false;
  }

  #readGrant(fields: readonly CsvField[], text: string): void {
    // A wrong effect is told even where a column is missing too: it is what the author has to look at.
    const effect = this.#effect(fields.at(-1), fields.length);
    if (!this.#hasColumns(fields, COLUMNS.p)) return;
    const [, subject, object, actionField, when] = fields;
    if (subject === undefined || object === undefined || actionField === undefined || when === undefined) return;
    this.#checkName(subject, { kinds: SUBJECT_KINDS, globs: subject.text.startsWith('agent:') });
    this.#checkName(object, { kinds: [...OBJECT_KINDS, 'set'], globs: !object.text.startsWith('set:') });
    const action = ACTION_SET.get(actionField.text);
    if (action === undefined) {
      const hint = `write \`*\` or one of ${ACTIONS.map((each) => `\`${each}\``).join(', ')}`;
      this.#refuse('policy-unknown-action', actionField.column, {
        message: `unknown action \`${actionField.text}\``,
        hint,
      });
    }
    const conditionId = when.text === '' ? '' : this.#conditionId(when);
    if (this.#refused || action === undefined || effect === undefined) return;
    this.grants.push({
      line: this.#line,
      columns: {
        subject: subject.column,
        object: object.column,
        action: actionField.column,
        when: when.column,
        effect: fields[5]?.column ?? 1,
      },
      ...{ text, subject: subject.text, object: object.text, action, when: when.text, conditionId, effect },
    });
  }

  #effect(field: CsvField | undefined, count: number): 'allow' | 'deny' | undefined {
    if (field?.text === 'allow' || field?.text === 'deny') return field.text;
    const isEffect =
      count === COLUMNS.p.length || (count === COLUMNS.p.length - 1 && /^[A-Za-z]+$/.test(field?.text ?? ''));
    if (field !== undefined && isEffect) {
      const message = `unknown effect \`${field.text}\``;
      const hint = 'write `allow` or `deny`; run `seneschal policy check`';
      this.#refuse('policy-unknown-effect', field.column, { message, hint });
    }
    return undefined;
  }

  #checkName(field: CsvField, options: { readonly kinds: readonly string[]; readonly globs: boolean }): void {
    const defect = idDefect(field.text, options);
    if (defect !== undefined) this.#refuse(defect.code, field.column, defect);
  }

  #conditionId(field: CsvField): string {
    const known = this.#byText.get(field.text);
    if (known !== undefined) return known;
    const compiled = this.#compile(field.text);
    if ('variables' in compiled) {
      this.conditions.set(compiled.id, compiled);
      this.#byText.set(field.text, compiled.id);
      return compiled.id;
    }
    const doubled = field.quoted ? 1 + field.text.slice(0, compiled.offset).split('"').length - 1 : 0;
    const { message, hint } = compiled;
    this.#refuse(compiled.code, field.column + compiled.offset + doubled, { message, hint });
    return '';
  }

  #readLink(type: 'g' | 'g2', fields: readonly CsvField[]): void {
    if (!this.#hasColumns(fields, COLUMNS[type])) return;
    const [, member, group] = fields;
    if (member === undefined || group === undefined) return;
    const groupKind = type === 'g' ? 'role' : 'set';
    this.#checkName(member, { kinds: type === 'g' ? ['agent', 'role'] : [...OBJECT_KINDS, 'set'], globs: false });
    this.#checkName(group, { kinds: [groupKind], globs: false });
    if (this.#refused) return;
    const links = type === 'g' ? this.roleLinks : this.setLinks;
    links.push({
      ...{ line: this.#line, memberColumn: member.column, groupColumn: group.column },
      ...{ type, member: member.text, group: group.text },
    });
  }
}
