import type { ControlName } from '../../src/domain/verdict.ts';
import type { RequestStateFacts } from '../../src/input-required/request-state.ts';
import { ENTRY_KINDS, SYSTEM_KINDS } from '../../src/ledger/entry.ts';
import {
  CALL_FIELDS,
  COMMON_ENTRY_FIELDS,
  DETAIL_FIELDS,
  type FieldDescriptions,
  KIND_DESCRIPTIONS,
  STEP_FIELDS,
  SYSTEM_FIELDS,
  TARGET_FIELDS,
} from '../../src/ledger/entry-fields.ts';
import type { BudgetFact, BudgetFacts } from '../../src/limits/budget/control.ts';
import type { ConcurrencyFact, ConcurrencyFacts } from '../../src/limits/concurrency.ts';
import type { RateFact, RateFacts } from '../../src/limits/rate.ts';
import type { AuthorizeFacts } from '../../src/policy/authorize.ts';
import type { GuardFacts } from '../../src/validation/input-requests/guard.ts';
import type { InputResponseFacts } from '../../src/validation/input-requests/response.ts';
import type { ErrorFact, SchemaFacts } from '../../src/validation/json-schema/schema-facts.ts';
import type { OutputFacts } from '../../src/validation/output.ts';
import { code, generatedFrom, meaningsTable, pageOf } from './markdown.ts';

type Prefixed<Name extends string, Fact> = { readonly [Field in keyof Fact & string as `${Name}[].${Field}`]: string };

const COUNTER = {
  'rules[].id': 'Id of the limit; it stays the same if other rows or its amounts change',
  'rules[].at': 'Its line when the fact was gathered, such as `limits.yaml:3`',
  'rules[].subject': 'Subject of the counter',
} as const;
const ERRORS: Prefixed<'errors', ErrorFact> = {
  'errors[].pointer': 'JSON Pointer of the invalid value; the value itself is not recorded',
  'errors[].keyword': 'JSON Schema keyword that the value violates',
};

/** Facts of each control: one meaning for each field of its type. */
const FACTS: {
  readonly rate: FieldDescriptions<RateFacts> & Prefixed<'rules', RateFact>;
  readonly authorize: FieldDescriptions<AuthorizeFacts>;
  readonly 'validate-input': FieldDescriptions<SchemaFacts> & Prefixed<'errors', ErrorFact>;
  readonly concurrency: FieldDescriptions<ConcurrencyFacts> & Prefixed<'rules', ConcurrencyFact>;
  readonly budget: FieldDescriptions<BudgetFacts> & Prefixed<'rules', BudgetFact>;
  readonly 'request-state': FieldDescriptions<RequestStateFacts>;
  readonly 'validate-output': FieldDescriptions<OutputFacts> & Prefixed<'errors', ErrorFact>;
  readonly 'guard-question': FieldDescriptions<GuardFacts>;
  readonly 'validate-answer': FieldDescriptions<InputResponseFacts> & Prefixed<'errors', ErrorFact>;
} & Readonly<Record<ControlName, Readonly<Record<string, string>>>> = {
  rate: {
    rules: 'One fact for each rate that matched',
    ...COUNTER,
    'rules[].aheadUs': 'Microseconds by which the counter was ahead of the even pace; 0 if it was idle',
  },
  authorize: {
    nowMs: 'Value of `now` in conditions, in milliseconds since 1970',
    conditions:
      'Value of each condition that the decision may depend on: `true`, `false` or `error`, by the id of the condition',
  },
  'validate-input': {
    schema: 'Digest of the schema that was used',
    errors: 'At most five errors; none if the arguments are valid',
    ...ERRORS,
  },
  concurrency: {
    rules: 'One fact for each concurrency limit that matched; none if `carried`',
    carried: 'True if a round takes over the places of the round before; absent otherwise',
    ...COUNTER,
    'rules[].inUse': 'Calls in progress before this one',
  },
  budget: {
    nowMs: 'Milliseconds since 1970 by the clock of budgets',
    costNanoUsd: 'Estimated cost of the call, in nano-dollars',
    rules: 'One fact for each budget that matched; none if `carried`',
    carried: 'True if a round takes over the reservation of the round before; absent otherwise',
    ...COUNTER,
    'rules[].windowStartMs': 'Start of its window, in milliseconds since 1970',
    'rules[].usedCalls': 'Calls charged and reserved before this one',
    'rules[].usedNanoUsd': 'Nano-dollars charged and reserved before this one',
  },
  'request-state': {
    state:
      'Result of the check of the `requestState`: `valid`, `unreadable` (malformed), `foreign` (of another agent or call), `expired`, or `spent` (used before)',
    continues: 'Id of the call of the first round; empty if the state is not valid',
  },
  'validate-output': {
    schema: 'Digest of the schema that was used; empty without a schema',
    fault: 'Problem with the form of the result; empty without a problem',
    errors: 'At most five errors; none if the result is valid',
    ...ERRORS,
  },
  'guard-question': {
    fault: 'Problem with the input request; empty without a problem',
    field: 'Index of the form field with the problem, from 0; -1 if it is not a field',
    missing: "Capability that the agent's client has not declared; empty if it has",
  },
  'validate-answer': {
    schema: 'Digest of the schema of the form; empty without a form',
    fault: 'Problem with the input response; empty without a problem',
    errors: 'At most five errors; none if the response is valid',
    ...ERRORS,
  },
};

/** The page `docs/reference/ledger-entry.md`. */
export function ledgerPage(): string {
  return pageOf([
    '# Entries of the ledger',
    '',
    'Reference. Kinds and fields of ledger entries, as `seneschal ledger list --output json` and `seneschal ledger show` print',
    'them.',
    '',
    'An entry is a JSON object in canonical form (RFC 8785). It is stored with its leaf hash (RFC 9162, section 2.1.1) and',
    'never changed or removed. An unknown value is absent. A salted digest is SHA-256 over sixteen random bytes and the',
    'canonical form of the value, so that it proves a value that you have and reveals none.',
    '',
    '## Which entries a call has',
    '',
    '| The call | Entries |',
    '|---|---|',
    '| is refused | `call.refused` |',
    '| is dispatched and ends | `call.admitted` before it is sent, `call.closed` before the reply |',
    '| is dispatched and the broker crashes | `call.admitted`, and `call.in-doubt` at the next start |',
    '| asks the agent for input | one pair per round, and one pair per input request |',
    '',
    '**Rounds.** A tool server can ask for input before it answers a call. A modern agent then gets `input_required` and',
    'retries with the responses. Each of its requests is a round. A round has a `callId` of its own. `call.closed` of a round',
    'that ended with input requests has the outcome `input-required`. In the next round, the fact `continues` of the step',
    '`request-state` is the `callId` of the first round. A legacy agent answers while its request is open, so its call has',
    'one round. See [Suspended calls](../explanation/suspended-calls.md).',
    '',
    '**Input requests.** An elicitation, a sampling request or a request for roots is recorded like a call: the action is',
    '`elicit`, `sample` or `roots`, the target is the tool server, and `causedBy` is the `callId` of the call that it belongs',
    'to. The step `guard-question` checks the input request, `validate-answer` the input response.',
    '',
    '**System events.** The other kinds are events of the broker and of the people who operate it, such as a new key, a',
    'changed policy or a drifted tool. They belong to no call. Their details are in the field `detail`.',
    '',
    '## Every entry',
    '',
    ...meaningsTable(['Field', 'Holds'], COMMON_ENTRY_FIELDS),
    '',
    ...ENTRY_KINDS.filter((kind) => kind in CALL_FIELDS).flatMap((kind) => section(kind)),
    '## System events',
    '',
    'Events of the broker (`system:broker`) and of the people who operate it (`os-user:<uid>`). Beside the fields of every',
    'entry they have one more:',
    '',
    ...meaningsTable(['Field', 'Holds'], SYSTEM_FIELDS),
    '',
    'Each section lists the members of `detail`.',
    '',
    ...SYSTEM_KINDS.flatMap((kind) => [
      `### ${code(kind)}`,
      '',
      KIND_DESCRIPTIONS[kind],
      '',
      ...meaningsTable(['In `detail`', 'Holds'], DETAIL_FIELDS[kind]),
      '',
    ]),
    '## Steps',
    '',
    'A step is the decision of one control, with its facts. `seneschal replay decide` decides it again from the facts.',
    '',
    ...meaningsTable(['Field', 'Holds'], STEP_FIELDS),
    '',
    '## Target',
    '',
    ...meaningsTable(['Field', 'Holds'], TARGET_FIELDS),
    '',
    '## Facts',
    '',
    'Values that a control read for its decision. A control that failed before it had any has none.',
    '',
    ...Object.entries(FACTS).flatMap(([control, facts]) => [
      `### ${code(control)}`,
      '',
      ...meaningsTable(['Fact', 'Holds'], facts),
      '',
    ]),
    ...generatedFrom(['src/ledger/entry-fields.ts', 'src/ledger/entry.ts']),
  ]);
}

function section(kind: (typeof ENTRY_KINDS)[number]): readonly string[] {
  const fields = Object.entries(CALL_FIELDS).find(([name]) => name === kind)?.[1] ?? {};
  return [`## ${code(kind)}`, '', KIND_DESCRIPTIONS[kind], '', ...meaningsTable(['Field', 'Holds'], fields), ''];
}
