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
  summary: 'explain an access decision: the effect, and every row that matches',
  description: `Evaluates an access request as the broker does before each call. It prints the effect, the row that decided, and
    every other matching row with the result of its condition. It calls nothing and records nothing, and no broker needs
    to run.

    Without --args the request stands for any arguments: a grant with a condition then counts as one that may match. The
    URI of a resource is normalized first, as before each call; a note says so if that changes it.`,
  arguments: [
    { name: 'action', description: 'the action, such as `call`' },
    { name: 'target', description: 'the target, such as `tool:files/read_text_file`' },
  ],
  flags: [
    { name: 'as', value: 'agent', description: 'the agent, such as `agent:demo`', required: true },
    { name: 'args', value: 'json', description: 'the arguments of the call, as a JSON object' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the request is allowed', refused: 'the request is denied' },
  examples: [
    {
      title: 'See which grant lets an agent read a file',
      line: 'seneschal policy explain --as agent:demo call tool:files/read_text_file',
    },
    {
      title: 'See whether a call with certain arguments is allowed, and by which row',
      line: `seneschal policy explain --as agent:demo call tool:everything/get-sum --args '{"a": 2, "b": 3}'`,
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
        ...(rows.length === 0 ? ['  no row matches, so the request is denied'] : []),
        ...(note === undefined ? [] : [`  note: ${note}`]),
      ].join('\n'),
    );
    return explanation.effect === 'deny' ? EXIT.refused : EXIT.yes;
  },
});

function argumentsOf(text: string): JsonObject {
  // The parser of agents' messages: arguments that a call could not send are refused here too.
  const parsed = parseStrictJson(text, { maxBytes: 1_048_576, maxDepth: 128 });
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  const hint = 'write an object, as in --args \'{"path": "notes.md"}\'';
  const explanation = parsed.ok ? '' : ` (${parsed.problem})`;
  throw new ProblemError([
    { code: 'settings-invalid', at: '--args', message: `\`--args\` is not a JSON object${explanation}`, hint },
  ]);
}
