import type { Problem } from '../../domain/problem.ts';
import type { SourceText } from './source-text.ts';

/** The two files of a policy set. Bytes are decoded strictly. */
export interface PolicyFiles {
  /** The Casbin model. Default: the model that ships with the broker. */
  readonly 'model.conf'?: string | Uint8Array;
  /** The grants. Missing or empty: nothing is allowed. */
  readonly 'policy.csv'?: string | Uint8Array;
}

/** The model that ships with the broker. A `model.conf` may differ from it in white space and whole-line comments only. */
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

/** Functions of node-casbin that a matcher must not use, each with the reason. */
const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  eval: 'it runs the text of a row as code',
  regexMatch: 'a crafted expression can take exponential time',
  globMatch: 'its `*` differs from the `*` of policies and limits',
  keyMatch: 'its `*` differs from the `*` of policies and limits',
  ipMatch: 'the model has no addresses',
};

const EXPECTED_MODEL = new Map(
  parse({ file: 'model.conf', text: DEFAULT_MODEL, lines: DEFAULT_MODEL.split('\n') }, []).map((each) => [
    `${each.section} ${each.key}`,
    each,
  ]),
);

/**
 * Refuses a `model.conf` that differs from the shipped model in more than white space and whole-line comments. The grant
 * index is built for that model, and node-casbin silently cuts a matcher at `#`.
 */
export function checkModelConf(source: SourceText, problems: Problem[]): void {
  const missing = new Set(EXPECTED_MODEL.keys());
  for (const each of parse(source, problems)) {
    const key = `${each.section} ${each.key}`;
    const expected = EXPECTED_MODEL.get(key);
    const at = `${source.file}:${each.line}:${each.column}`;
    if (expected === undefined) {
      const message = `\`${each.key}\` of \`[${each.section}]\` is not part of the model`;
      problems.push({ code: 'policy-model-invalid', at, message, hint: 'delete the line' });
    } else if (!missing.delete(key)) {
      const message = `\`${each.key}\` is defined twice`;
      problems.push({ code: 'policy-model-invalid', at, message, hint: 'delete one of the two lines' });
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
    if (new RegExp(`\\b${name}\\d?\\s*\\(`).test(each.value)) return `\`${name}\` must not be used: ${reason}`;
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
      if (sections.has(section)) refuse(column, `\`[${section}]\` appears twice`, 'merge the two sections');
      sections.add(section);
    } else if (definition === null) refuse(column, 'not a section or a definition', 'write `[section]` or `name = …`');
    else parsed.push({ line: index + 1, column, section, key: definition[1] ?? '', value: definition[2] ?? '' });
  });
  return parsed;
}

/** Finds syntax that node-casbin reads differently from what is written. */
function lineDefect(
  line: string,
): { readonly column: number; readonly message: string; readonly hint: string } | undefined {
  const comment = line.search(/[#;]/);
  if (comment >= 0) {
    const message = 'a comment after a definition would cut the definition off';
    return { column: comment + 1, message, hint: 'write the comment on its own line' };
  }
  const end = line.trimEnd();
  if (!end.endsWith('\\')) return undefined;
  return { column: end.length, message: 'a definition must not span several lines', hint: 'write it on one line' };
}
