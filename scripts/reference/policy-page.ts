import { ACTIONS, type Action } from '../../src/domain/call.ts';
import { CONDITION_LIMITS } from '../../src/policy/conditions/admit-condition.ts';
import {
  CONDITION_COMPREHENSIONS,
  CONDITION_FUNCTIONS,
  CONDITION_VARIABLES,
} from '../../src/policy/conditions/condition-variables.ts';
import { columnsFor, OBJECT_KINDS, ROW_KINDS } from '../../src/policy/files/policy-rows.ts';
import { suiteSchema } from '../../src/policy/suite.ts';
import { code, generatedFrom, pageOf, tableOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

const LIMITS: { readonly [Limit in keyof typeof CONDITION_LIMITS]: string } = {
  textLength: 'characters of a condition',
  nodes: 'nodes of the parsed expression',
  depth: 'levels of calls, selections and literals',
  comprehensionDepth: 'nested comprehensions, including the outer one',
  listLength: 'members of a list or map of the arguments that a comprehension may iterate over',
  nestedListLength: 'the same where comprehensions are nested',
  argumentsWeight: 'characters and members of all arguments together, with a comprehension or `re2`',
  patternLength: 'characters of a regular expression',
};

const ACTION_MEANINGS: { readonly [Each in Action]: string } = {
  call: 'a tool',
  read: 'a resource',
  get: 'a prompt',
  complete: 'an argument of a prompt or of a resource template',
  subscribe: 'a resource',
  elicit: 'an elicitation by a tool server; the object is `server:<server>`',
  sample: 'a sampling request of a tool server; the object is `server:<server>`',
  roots: 'a request for roots by a tool server; the object is `server:<server>`',
};

/** The page `docs/reference/policy.md`. */
export function policyPage(): string {
  return pageOf([
    '# Policies',
    '',
    'Reference. Rows of `policies/policy.csv`, which say who may do what, and policy tests in `policies/tests/*.yaml`.',
    '',
    'How rows combine to a decision is in [How it decides](../explanation/how-it-decides.md). To write a policy step by step,',
    'see [Write a policy](../how-to/write-a-policy.md).',
    '',
    '## Rows of `policy.csv`',
    '',
    'UTF-8 without byte order mark, one row per line, columns separated by commas. A field with a comma or a quote is enclosed',
    'in `"…"`, and a quote inside it is doubled. White space around fields is ignored. A line that begins with `#` is a',
    'comment. Every column is required, even if it is empty.',
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
    `The object of a row has one of the kinds ${list(OBJECT_KINDS)}. The broker does not serve models yet: a row about a`,
    'model matches nothing.',
    '',
    '## Actions',
    '',
    `${list(ACTIONS)}, and ${code('*')} for all of them.`,
    '',
    ...tableOf(
      ['Action', 'Applies to'],
      Object.entries(ACTION_MEANINGS).map(([action, of]) => [code(action), of]),
    ),
    '',
    '## Globs',
    '',
    '`*` matches any number of characters, including none and including `/`. No other character is special. Upper and lower',
    'case differ. The globs in [`limits.yaml`](limits.md) are the same.',
    '',
    '## Conditions',
    '',
    'The column `when` is a CEL expression whose value is true or false. A file with a variable or field that is not in this',
    'table does not load.',
    '',
    ...tableOf(
      ['Variable', 'CEL type', 'Holds'],
      Object.entries(CONDITION_VARIABLES).flatMap(([name, { celType, description: means, fields = {} }]) => [
        [code(name), code(celType), means],
        ...Object.entries(fields).map(([field, holds]) => [code(`${name}.${field}`), '', holds]),
      ]),
    ),
    '',
    'Operators of CEL: `==`, `!=`, `<`, `<=`, `>`, `>=`, `&&`, `||`, `!`, `in`, `+`, `-`, `*`, `/`, `%`, `? :`,',
    '`[…]` and `.`. Functions, each with an example whose value is true:',
    '',
    ...tableOf(
      ['Function', 'Example'],
      Object.entries(CONDITION_FUNCTIONS).map(([name, example]) => [code(name), code(example)]),
    ),
    '',
    'Macros iterate over a list of the arguments or a literal list:',
    '',
    ...tableOf(
      ['Macro', 'Example'],
      Object.entries(CONDITION_COMPREHENSIONS).map(([name, example]) => [code(name), code(example)]),
    ),
    '',
    'Bounds. A file with a condition beyond them does not load. Arguments beyond them make the condition an error, and an',
    'error never allows a call.',
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
    'Optional. If the file exists, it must equal the model that the broker enforces, except for white space and comments.',
    '',
    '## Policy tests',
    '',
    'Each file of `policies/tests/` is a list. `seneschal policy test` runs them, and so does each reload before a changed',
    'policy becomes active. An entry without `args` covers all arguments: `may` passes if every call is allowed, `may_not` if',
    'none is.',
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
    '',
    ...generatedFrom([
      'src/policy/files/policy-rows.ts',
      'src/policy/conditions/condition-variables.ts',
      'src/policy/suite.ts',
    ]),
  ]);
}

function list(words: readonly string[]): string {
  return words
    .map(code)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}
