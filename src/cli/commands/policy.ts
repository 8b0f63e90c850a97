import type { Command } from 'commander';
import { checkRules, explainCall, testRules } from '../../app/policy-questions.ts';
import type { Problem } from '../../domain/problem.ts';
import { formatProblem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { parseStrictJson } from '../../lib/strict-json.ts';
import { EXIT } from '../exit-codes.ts';
import { printData } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';

/** `policy check`, `policy test`, `policy explain`. None of them needs a broker that runs. */
export function registerPolicy(program: Command): void {
  const policy = program.command('policy').description('look at what may happen');
  outputFlag(settingsFlags(policy.command('check'), ['registry', 'policies', 'data']))
    .description('lint the policy files: unknown names, shadowed and duplicate rows, grants too wide')
    .action((flags: CommonFlags) => {
      const problems = checkRules(settingsOf(flags));
      printData({ problems }, flags.output, () => problems.map(warningText).join('\n'));
    });
  outputFlag(settingsFlags(policy.command('test'), ['registry', 'policies', 'data']))
    .description('run `policies/tests/*.yaml`')
    .action((flags: CommonFlags) => {
      const result = testRules(settingsOf(flags));
      printData(result, flags.output, ({ checked, failures }) =>
        [...failures.map(warningText), `${checked} checked, ${failures.length} failed`].join('\n'),
      );
      if (result.failures.length > 0) process.exitCode = EXIT.refused;
    });
  outputFlag(settingsFlags(policy.command('explain'), ['registry', 'policies', 'data']))
    .description('say what decides a question, with every row that speaks of it')
    .argument('<action>', 'what is done, such as `call`')
    .argument('<target>', 'what it is done to, such as `tool:files/read_file`')
    .requiredOption('--as <agent>', 'who asks, such as `agent:demo`')
    .option('--args <json>', 'arguments of the call; without them the question is about all arguments')
    .action((action: string, target: string, flags: CommonFlags & { as: string; args?: string }) => {
      const args = flags.args === undefined ? {} : { args: argumentsOf(flags.args) };
      const explanation = explainCall(settingsOf(flags), { as: flags.as, action, object: target, ...args });
      printData(explanation, flags.output, ({ effect, rule, rows, note }) =>
        [
          `${flags.as} ${action} ${target}: ${effect}${rule === undefined ? '' : ` by ${rule}`}`,
          ...rows.map(
            (row) => `  ${row.at}  ${row.text}${row.conditionResult ? `  [when: ${row.conditionResult}]` : ''}`,
          ),
          ...(rows.length === 0 ? ['  no row matches; what nothing allows is refused'] : []),
          ...(note === undefined ? [] : [`  note: ${note}`]),
        ].join('\n'),
      );
      if (explanation.effect === 'deny') process.exitCode = EXIT.refused;
    });
}

function warningText(problem: Problem): string {
  return `${problem.severity ?? 'error'}: ${formatProblem(problem)}`;
}

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
