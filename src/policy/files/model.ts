import type { Problem } from '../../domain/problem.ts';
import type { SourceText } from './source-text.ts';

/** The two texts that make a policy set. Bytes are decoded strictly; what is missing or empty is told below. */
export interface PolicyFiles {
  /** How a request is matched. Missing: the model that ships with the broker. */
  readonly 'model.conf'?: string | Uint8Array;
  /** Who may do what. Missing or empty: nothing is allowed. */
  readonly 'policy.csv'?: string | Uint8Array;
}

/** The model that ships with the broker; a `model.conf` may differ from it in white space and whole-line comments only. */
export const DEFAULT_MODEL: string = `[request_definition]
r = sub, obj, act, ctx

[policy_definition]
p = sub, obj, act, when, eft

[role_definition]
g = _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.act == "*" || r.act == p.act) && (glob(r.obj, p.obj) || g2(r.obj, p.obj)) && g(r.sub, p.sub) && when(p.when, r.ctx, p.eft)
`;

interface ModelLine {
  readonly line: number;
  readonly column: number;
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** Functions of node-casbin that have no place in a matcher, and why. */
const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  eval: 'it runs text of a row as code',
  regexMatch: 'it can be made to run for ever',
  globMatch: 'its `*` is not the `*` of the rest of the house',
  keyMatch: 'its `*` is not the `*` of the rest of the house',
  ipMatch: 'the model speaks of no addresses',
};

const EXPECTED_MODEL = new Map(
  parse({ file: 'model.conf', text: DEFAULT_MODEL, lines: DEFAULT_MODEL.split('\n') }, []).map((each) => [
    `${each.section} ${each.key}`,
    each,
  ]),
);

/**
 * Refuses a `model.conf` that says anything else than the shipped model, save for white space and whole-line comments. The
 * index that selects rows is made for that model; and node-casbin cuts a matcher at `#` without a word.
 */
export function checkModelConf(source: SourceText, problems: Problem[]): void {
  const missing = new Set(EXPECTED_MODEL.keys());
  for (const each of parse(source, problems)) {
    const key = `${each.section} ${each.key}`;
    const expected = EXPECTED_MODEL.get(key);
    const at = `${source.file}:${each.line}:${each.column}`;
    if (expected === undefined) {
      const message = `\`${each.key}\` of \`[${each.section}]\` is not of the model`;
      problems.push({ code: 'policy-model-invalid', at, message, hint: 'delete the line' });
    } else if (!missing.delete(key)) {
      const message = `\`${each.key}\` is defined twice`;
      problems.push({ code: 'policy-model-invalid', at, message, hint: 'delete one of the two' });
    } else if (stripSpaces(each.value) !== stripSpaces(expected.value)) {
      problems.push({
        code: 'policy-model-invalid',
        at,
        message: compareLines(each),
        hint: `write \`${expected.value}\``,
      });
    }
  }
  for (const key of missing) {
    const expected = EXPECTED_MODEL.get(key);
    if (expected === undefined) continue;
    const message = `\`${expected.key}\` of \`[${expected.section}]\` is missing`;
    const hint = `write \`${expected.key} = ${expected.value}\` under \`[${expected.section}]\``;
    problems.push({ code: 'policy-model-invalid', at: `${source.file}:${source.lines.length}:1`, message, hint });
  }
}

function compareLines(each: ModelLine): string {
  for (const [name, reason] of Object.entries(REFUSED_FUNCTIONS)) {
    if (new RegExp(`\\b${name}\\d?\\s*\\(`).test(each.value)) return `\`${name}\` may not be used: ${reason}`;
  }
  return `\`${each.key}\` differs from the model that is enforced`;
}

function stripSpaces(text: string): string {
  return text.replaceAll(/[ \t]/g, '');
}

function parse(source: SourceText, problems: Problem[]): ModelLine[] {
  const parsed: ModelLine[] = [];
  const sections = new Set<string>();
  let section = '';
  source.lines.forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) return;
    const column = line.length - line.trimStart().length + 1;
    const defect = lineDefect(line);
    const header = /^\[([a-z_]+)\]$/.exec(text)?.[1];
    const definition = /^([a-z0-9_]+)\s*=\s*(.*)$/.exec(text);
    const refuse = (at: number, message: string, hint: string): void => {
      problems.push({ code: 'policy-model-invalid', at: `${source.file}:${index + 1}:${at}`, message, hint });
    };
    if (defect !== undefined) refuse(defect.column, defect.message, defect.hint);
    else if (header !== undefined) {
      section = header;
      if (sections.has(section)) refuse(column, `\`[${section}]\` stands twice`, 'make one section of the two');
      sections.add(section);
    } else if (definition === null) refuse(column, 'neither a section nor a definition', 'write `name = …`');
    else parsed.push({ line: index + 1, column, section, key: definition[1] ?? '', value: definition[2] ?? '' });
  });
  return parsed;
}

/** Forms that node-casbin reads as something else than what is written. */
function lineDefect(
  line: string,
): { readonly column: number; readonly message: string; readonly hint: string } | undefined {
  const comment = line.search(/[#;]/);
  if (comment >= 0) {
    const message = 'a comment behind a definition would cut it off';
    return { column: comment + 1, message, hint: 'give it its own line' };
  }
  const end = line.trimEnd();
  if (!end.endsWith('\\')) return undefined;
  return { column: end.length, message: 'a definition over several lines', hint: 'write it on one line' };
}
