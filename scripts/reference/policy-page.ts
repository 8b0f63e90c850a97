import { ACTIONS } from '../../src/domain/call.ts';
import { CONDITION_LIMITS } from '../../src/policy/conditions/admit-condition.ts';
import {
  CONDITION_COMPREHENSIONS,
  CONDITION_FUNCTIONS,
  CONDITION_VARIABLES,
} from '../../src/policy/conditions/condition-variables.ts';
import { columnsFor, OBJECT_KINDS, ROW_KINDS } from '../../src/policy/files/policy-rows.ts';
import { suiteSchema } from '../../src/policy/suite.ts';
import { code, madeFrom, pageOf, tableOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

const LIMITS: { readonly [Limit in keyof typeof CONDITION_LIMITS]: string } = {
  textLength: 'characters of a condition',
  nodes: 'nodes of the parsed expression',
  depth: 'levels of calls, selections and literals',
  comprehensionDepth: 'comprehensions inside each other, the outer one counted',
  listLength: 'members of a list or map of the arguments that a comprehension may meet',
  nestedListLength: 'the same where comprehensions are nested',
  argumentsWeight: 'characters and members of all arguments together that a comprehension or `re2` may meet',
  patternLength: 'characters of a regular expression',
};

/** The page `docs/reference/policy.md`. */
export function policyPage(): string {
  return pageOf([
    '# Policies',
    '',
    madeFrom([
      'src/policy/files/policy-rows.ts',
      'src/policy/conditions/condition-variables.ts',
      'src/policy/suite.ts',
    ]),
    '',
    'Who may do what: `policies/policy.csv`, and what must stay true of it: `policies/tests/*.yaml`. What the rows mean',
    'together is in [How it decides](../explanation/how-it-decides.md); a policy is made step by step in',
    '[Write a policy](../how-to/write-a-policy.md).',
    '',
    '## Rows of `policy.csv`',
    '',
    'UTF-8 without byte order mark, one row a line, columns parted by commas. A field that holds a comma or a quote stands',
    'in `"…"`, a quote inside it is doubled. White space around fields counts for nothing. A line that begins with `#` is a',
    'comment. Every column must be there, also an empty one.',
    '',
    ...Object.entries(ROW_KINDS).flatMap(([kind, { description: means, columns }]) => [
      `### ${code(kind)}`,
      '',
      `${means}: ${code(columnsFor(kind as keyof typeof ROW_KINDS).join(', '))}.`,
      '',
      ...tableOf(
        ['Column', 'Holds'],
        columns.map(({ name, description: holds }) => [code(name), holds]),
      ),
      '',
    ]),
    `What a row may be about has one of the kinds ${list(OBJECT_KINDS)}. Calls of tools alone are governed today, so that`,
    'a row about another kind matches nothing.',
    '',
    '## Actions',
    '',
    `${list(ACTIONS)}, and ${code('*')} for every one of them. A tool is asked for ${code('call')}, a prompt ${code('get')}, a resource ${code('read')} and ${code('subscribe')}, and a completion ${code('complete')}; nothing asks the others today.`,
    '',
    '## Globs',
    '',
    '`*` stands for any run of characters, also none, `/` included. Nothing else is special. Upper and lower case differ.',
    'The same globs are used in [`limits.yaml`](limits.md).',
    '',
    '## Conditions',
    '',
    'The column `when` is an expression in CEL that must come out true or false. A field or a name that is not below is',
    'refused when the file is loaded.',
    '',
    ...tableOf(
      ['Variable', 'CEL type', 'Holds'],
      Object.entries(CONDITION_VARIABLES).flatMap(([name, { celType, description: means, fields = {} }]) => [
        [code(name), code(celType), means],
        ...Object.entries(fields).map(([field, holds]) => [code(`${name}.${field}`), '', holds]),
      ]),
    ),
    '',
    'Operators are those of CEL: `==`, `!=`, `<`, `<=`, `>`, `>=`, `&&`, `||`, `!`, `in`, `+`, `-`, `*`, `/`, `%`, `? :`,',
    '`[…]` and `.`. Functions, each with an example that is true:',
    '',
    ...tableOf(
      ['Function', 'Example'],
      Object.entries(CONDITION_FUNCTIONS).map(([name, example]) => [code(name), code(example)]),
    ),
    '',
    'Macros run over a list of the arguments, or over a list that is written out:',
    '',
    ...tableOf(
      ['Macro', 'Example'],
      Object.entries(CONDITION_COMPREHENSIONS).map(([name, example]) => [code(name), code(example)]),
    ),
    '',
    'Bounds. What is written beyond them is refused when the file is loaded; arguments beyond them are an error of the',
    'condition, which never opens anything.',
    '',
    ...tableOf(
      ['At most', 'Of'],
      Object.entries(LIMITS).map(([name, of]) => [
        CONDITION_LIMITS[name as keyof typeof LIMITS].toLocaleString('en-US'),
        of,
      ]),
    ),
    '',
    '## `model.conf`',
    '',
    'May be left out. Where it is there it must say what the broker enforces; only white space and comments may differ.',
    '',
    '## Policy tests',
    '',
    'Files of `policies/tests/`, each a list. `seneschal policy test` runs them, and so does each reload before a changed',
    'policy comes into force. An entry without `args` is about all arguments: `may` holds when every call is allowed,',
    '`may_not` when none is.',
    '',
    '```yaml policies/tests/example.yaml',
    '- as: agent:demo',
    '  may:',
    '    - call tool:files/read_text_file',
    '    - { call: tool:everything/get-sum, args: { a: 2, b: 3 } }',
    '  may_not:',
    '    - call tool:files/write_file',
    '```',
    '',
    ...schemaTable(schemaRows(suiteSchema)),
  ]);
}

function list(words: readonly string[]): string {
  return words
    .map(code)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}
