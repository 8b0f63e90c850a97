import { ACTIONS, type Action } from '../../domain/call.ts';
import type { ErrorCode } from '../../domain/error-codes.ts';
import type { Problem } from '../../domain/problem.ts';
import { uriProblem } from '../../domain/resource-id.ts';
import type { Condition, ConditionCompiler } from '../conditions/condition.ts';
import type { GrantRow, LinkRow } from './grant-row.ts';
import type { SourceText } from './source-text.ts';

/** One column of a row: its name in messages, and its allowed content. */
export interface RowColumn {
  readonly name: string;
  readonly description: string;
}

/** One kind of row of `policy.csv`: its meaning, and its columns after the first, which is the kind. */
export interface RowKind {
  readonly description: string;
  readonly columns: readonly RowColumn[];
}

/** The kinds of rows. Any other kind is refused. */
export const ROW_KINDS: { readonly p: RowKind; readonly g: RowKind; readonly g2: RowKind } = {
  p: {
    description: 'A grant, or a prohibition',
    columns: [
      { name: 'who', description: '`agent:<glob>`, `role:<name>` or `team:<name>`' },
      {
        name: 'what',
        description:
          '`tool:<glob>`, such as `tool:files/read_*`, `server:<name>` for input requests of a server, or `set:<name>`',
      },
      { name: 'action', description: 'an action, or `*` for every action' },
      { name: 'when', description: 'a condition in CEL; empty: always true' },
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

/** The column names of a kind; the first is the kind itself. */
export function columnsFor(kind: keyof typeof ROW_KINDS): readonly string[] {
  return [kind, ...ROW_KINDS[kind].columns.map(({ name }) => name)];
}

/** Kinds of objects that a grant can name, besides `set`. */
export const OBJECT_KINDS = ['tool', 'resource', 'prompt', 'server', 'model'] as const;
/** Kinds of subjects that a grant can name. */
const SUBJECT_KINDS = ['agent', 'role', 'team'] as const;

/** The defect of an id in a row. */
interface IdDefect {
  readonly code: 'policy-kind-invalid' | 'policy-name-invalid' | 'policy-field-empty' | 'policy-uri-not-normal';
  readonly message: string;
  readonly hint: string;
}

const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;
const AGENT_GLOB = /^[A-Za-z0-9*][A-Za-z0-9._@*-]*$/;
// Printable ASCII without space, comma, quotes, backslash, back tick, and `#`, which other readers take for a comment.
const OBJECT_PATH = /^[!$%&()*+\-./0-9:;<=>?@A-Z[\]^_a-z{|}~]+$/;

/** The defect of `id` as an id of one of `kinds`; undefined when it is valid. `globs` allows `*`. */
function idDefect(
  id: string,
  options: { readonly kinds: readonly string[]; readonly globs: boolean },
): IdDefect | undefined {
  const expected = options.kinds.map((kind) => `\`${kind}:…\``).join(', ');
  if (id === '') return { code: 'policy-field-empty', message: 'the field is empty', hint: `write one of ${expected}` };
  const colon = id.indexOf(':');
  const kind = colon < 0 ? '' : id.slice(0, colon);
  if (!options.kinds.includes(kind)) {
    const message = colon < 0 ? `\`${id}\` has no kind` : `the kind of \`${id}\` is not allowed in this column`;
    return { code: 'policy-kind-invalid', message, hint: `write one of ${expected}` };
  }
  const name = id.slice(colon + 1);
  if (!options.globs && name.includes('*')) {
    return {
      code: 'policy-name-invalid',
      message: `\`${id}\` must not contain \`*\``,
      hint: 'write the name of one, without `*`',
    };
  }
  const pattern =
    kind === 'agent' ? AGENT_GLOB : kind === 'role' || kind === 'team' || kind === 'set' ? PLAIN_ID : OBJECT_PATH;
  if (pattern.test(name)) {
    const defect = uriProblem(id);
    return defect === undefined ? undefined : { code: 'policy-uri-not-normal', ...defect };
  }
  return {
    code: 'policy-name-invalid',
    message: `\`${id}\` is not a valid name`,
    hint: 'use letters, digits, `.`, `_` and `-` (in objects also `/` and `*`), without spaces',
  };
}

/** One field of a line: its text without quotes and outer white space, and its start column from 1. */
export interface CsvField {
  readonly text: string;
  readonly column: number;
  readonly quoted: boolean;
}

/** The defect of a line that cannot be split, and its column from 1. */
export interface CsvDefect {
  readonly column: number;
  readonly defect: string;
}

/**
 * Splits one line by RFC 4180. Drops white space around fields, as Casbin does. A quoted field writes `"` as `""` and must
 * end on its line.
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
  if (quote >= 0) return { column: start + quote + 1, defect: 'the field has a quote but does not begin with one' };
  fields.push({ text, column: start + 1, quoted: false });
  return end;
}

function readQuoted(line: string, start: number, fields: CsvField[]): number | CsvDefect {
  let from = start + 1;
  for (;;) {
    const quote = line.indexOf('"', from);
    if (quote < 0) return { column: start + 1, defect: 'the quote is not closed on this line' };
    if (line[quote + 1] !== '"') {
      const end = skipSpaces(line, quote + 1);
      if (end < line.length && line[end] !== ',') return { column: end + 1, defect: 'text follows a closing quote' };
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

/** The parsed rows of a `policy.csv`. */
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

/** Parses the rows of `policy.csv`. Each invalid row adds one or more problems. */
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
  readonly #idByText = new Map<string, string>();
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
      const hint = 'put the field in `"`, and write a quote inside it as `""`';
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
    const message = `the row has ${fields.length} columns instead of ${names.length}`;
    const hint = `write \`${names.join(', ')}\``;
    const extra = fields[names.length];
    if (extra !== undefined) this.#refuse('policy-column-extra', extra.column, { message, hint });
    else {
      const last = fields.at(-1);
      this.#refuse('policy-column-missing', (last?.column ?? 1) + (last?.text.length ?? 0), { message, hint });
    }
    return false;
  }

  #readGrant(fields: readonly CsvField[], text: string): void {
    // Report a wrong effect even when a column is missing: Casbin would ignore the row, so it matters most.
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
      text,
      subject: subject.text,
      object: object.text,
      action,
      when: when.text,
      conditionId,
      effect,
    });
  }

  #effect(field: CsvField | undefined, count: number): 'allow' | 'deny' | undefined {
    if (field?.text === 'allow' || field?.text === 'deny') return field.text;
    const isEffect =
      count === COLUMNS.p.length || (count === COLUMNS.p.length - 1 && /^[A-Za-z]+$/.test(field?.text ?? ''));
    if (field !== undefined && isEffect) {
      const message = `unknown effect \`${field.text}\``;
      const hint = 'write `allow` or `deny`, then run `seneschal policy check`';
      this.#refuse('policy-unknown-effect', field.column, { message, hint });
    }
    return undefined;
  }

  #checkName(field: CsvField, options: { readonly kinds: readonly string[]; readonly globs: boolean }): void {
    const defect = idDefect(field.text, options);
    if (defect !== undefined) this.#refuse(defect.code, field.column, defect);
  }

  #conditionId(field: CsvField): string {
    const known = this.#idByText.get(field.text);
    if (known !== undefined) return known;
    const compiled = this.#compile(field.text);
    if ('variables' in compiled) {
      this.conditions.set(compiled.id, compiled);
      this.#idByText.set(field.text, compiled.id);
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
      line: this.#line,
      memberColumn: member.column,
      groupColumn: group.column,
      type,
      member: member.text,
      group: group.text,
    });
  }
}
