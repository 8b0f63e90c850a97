import { explainAccess } from '../../../app/queries/policy.ts';
import { parseAgentId } from '../../../domain/principal.ts';
import { ProblemError } from '../../../domain/problem.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import { parseStrictJson } from '../../../lib/json/strict-json.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const policyExplain: CommandDefinition = defineCommand({
  path: 'policy explain',
  summary: 'say what decides a question, with every row that speaks of it',
  description: `Asks the policy what it asks itself before each call: may this agent do this to that? It prints the effect, the
    row that decided, and every other row that speaks of the question, with the result of its condition. It needs no
    broker that runs, calls nothing and records nothing.

    Without --args the question is about all arguments: a grant under a condition then counts as one that may match.
    The URI of a resource is put into its normal form first, as it is before each call; a note says so where it differs.`,
  arguments: [
    { name: 'action', description: 'what is done, such as `call`' },
    { name: 'target', description: 'what it is done to, such as `tool:files/read_text_file`' },
  ],
  flags: [
    { name: 'as', value: 'agent', description: 'who asks, such as `agent:demo`', required: true },
    { name: 'args', value: 'json', description: 'the arguments of the call, as a JSON object' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'it is allowed', refused: 'it is refused' },
  examples: [
    {
      title: 'See which grant lets an agent read a file',
      line: 'seneschal policy explain --as agent:demo call tool:files/read_text_file',
    },
    {
      title: 'See why a call with certain arguments was refused',
      line: `seneschal policy explain --as agent:demo call tool:everything/get-sum --args '{"a": 2000, "b": 3}'`,
      exit: EXIT.refused,
    },
  ],
  run: ({ args: { action, target }, flags, settings, output }) => {
    const args = flags.args === undefined ? {} : { args: argumentsOf(flags.args) };
    const explanation = explainAccess(settings(), { as: flags.as, action, object: target, ...args });
    printData(explanation, output, ({ effect, rule, rows, note }) =>
      [
        `${parseAgentId(flags.as)} ${action} ${target}: ${effect}${rule === undefined ? '' : ` by ${rule}`}`,
        ...rows.map(
          (row) => `  ${row.at}  ${row.text}${row.conditionResult ? `  [when: ${row.conditionResult}]` : ''}`,
        ),
        ...(rows.length === 0 ? ['  no row matches; what nothing allows is refused'] : []),
        ...(note === undefined ? [] : [`  note: ${note}`]),
      ].join('\n'),
    );
    return explanation.effect === 'deny' ? EXIT.refused : EXIT.yes;
  },
});

function argumentsOf(text: string): JsonObject {
  // By the reader that reads agents' messages: what a call may not send is no question either.
  const parsed = parseStrictJson(text, { maxBytes: 1_048_576, maxDepth: 128 });
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  const hint = 'write an object, as in --args \'{"path": "notes.md"}\'';
  const why = parsed.ok ? '' : ` (${parsed.problem})`;
  throw new ProblemError([
    { code: 'settings-invalid', at: '--args', message: `\`--args\` is not a JSON object${why}`, hint },
  ]);
}
