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
import { code, madeFrom, meaningsTable, pageOf } from './markdown.ts';

type Prefixed<Name extends string, Fact> = { readonly [Field in keyof Fact & string as `${Name}[].${Field}`]: string };

const COUNTER = {
  'rules[].id': 'Id of the limit: the same while other rows and its amounts change',
  'rules[].at': 'Its line when the fact was gathered, such as `limits.yaml:3`',
  'rules[].subject': 'Whose counter it was',
} as const;
const ERRORS: Prefixed<'errors', ErrorFact> = {
  'errors[].pointer': 'JSON Pointer of the place that failed; the value itself is not recorded',
  'errors[].keyword': 'The keyword that it failed by',
};

/** What each control saw: one fact for each field of its type. */
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
    'rules[].aheadUs': 'Microseconds by which the counter was ahead of the even pace; 0 is at rest',
  },
  authorize: {
    nowMs: 'Milliseconds since 1970, as conditions saw `now`',
    conditions: 'How each condition came out that the answer may depend on: `true`, `false` or `error`, by its id',
  },
  'validate-input': {
    schema: 'Digest of the schema that was used',
    errors: 'At most five errors; none where the arguments are valid',
    ...ERRORS,
  },
  concurrency: {
    rules: 'One fact for each concurrency limit that matched; none where the places are carried',
    carried: 'Only where the call goes on after a question with the places of the leg before: true',
    ...COUNTER,
    'rules[].inUse': 'Calls under way before this one',
  },
  budget: {
    nowMs: 'Milliseconds since 1970 by the clock of budgets',
    costNanoUsd: 'What the call is reckoned to cost, in nano-dollars',
    rules: 'One fact for each budget that matched; none where the reservation is carried',
    carried: 'Only where the call goes on after a question with what the leg before reserved: true',
    ...COUNTER,
    'rules[].windowStartMs': 'Milliseconds since 1970 at which its window began',
    'rules[].usedCalls': 'Calls that were charged and reserved before this one',
    'rules[].usedNanoUsd': 'Nano-dollars that were charged and reserved before this one',
  },
  'request-state': {
    state: '`valid`, `unreadable`, `foreign`, `expired` or `spent`: what the `requestState` that came turned out to be',
    continues: 'Id of the call that began what goes on; empty where nothing does',
  },
  'validate-output': {
    schema: 'Digest of the schema that was used; empty where none was',
    fault: 'What was wrong with the form of the result; empty where nothing was',
    errors: 'At most five errors; none where the result is valid',
    ...ERRORS,
  },
  'guard-question': {
    fault: 'What was wrong with the question; empty where nothing was',
    field: 'Which field of the form that is, counted from 0; -1 where it is none',
    missing: "The capability that the agent's client has not declared; empty where it has",
  },
  'validate-answer': {
    schema: 'Digest of the schema of the form; empty where there was none',
    fault: 'What was wrong with the answer; empty where nothing was',
    errors: 'At most five errors; none where the answer is valid',
    ...ERRORS,
  },
};

/** The page `docs/reference/ledger-entry.md`. */
export function ledgerPage(): string {
  return pageOf([
    '# Entries of the ledger',
    '',
    madeFrom(['src/ledger/entry-fields.ts', 'src/ledger/entry.ts']),
    '',
    'An entry is a JSON object in canonical form (RFC 8785). It is stored with its leaf hash (RFC 9162, section 2.1.1), is',
    'never changed and never taken out. `seneschal ledger list --output json` and `seneschal ledger show` print it. What is',
    'not known is absent. A salted digest is SHA-256 over sixteen random bytes and the canonical form of what it promises.',
    '',
    '## Every entry',
    '',
    ...meaningsTable(['Field', 'Holds'], COMMON_ENTRY_FIELDS),
    '',
    ...ENTRY_KINDS.filter((kind) => kind in CALL_FIELDS).flatMap((kind) => section(kind)),
    '## Acts of the house',
    '',
    'Acts of the broker itself and of those who run it. Beside what every entry says they have one field:',
    '',
    ...meaningsTable(['Field', 'Holds'], SYSTEM_FIELDS),
    '',
    'The tables below name what `detail` holds.',
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
    'A step is what one control saw and said. `replay decide` takes it again from its facts.',
    '',
    ...meaningsTable(['Field', 'Holds'], STEP_FIELDS),
    '',
    '## Target',
    '',
    ...meaningsTable(['Field', 'Holds'], TARGET_FIELDS),
    '',
    '## Facts',
    '',
    'What each control records of the world. A control that failed before it had any has none.',
    '',
    ...Object.entries(FACTS).flatMap(([control, facts]) => [
      `### ${code(control)}`,
      '',
      ...meaningsTable(['Fact', 'Holds'], facts),
      '',
    ]),
  ]);
}

function section(kind: (typeof ENTRY_KINDS)[number]): readonly string[] {
  const fields = Object.entries(CALL_FIELDS).find(([name]) => name === kind)?.[1] ?? {};
  return [`## ${code(kind)}`, '', KIND_DESCRIPTIONS[kind], '', ...meaningsTable(['Field', 'Holds'], fields), ''];
}
