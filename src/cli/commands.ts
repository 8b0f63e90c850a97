/**
 * Every command of the program, in the order of its help.
 *
 * To add one: write `commands/<noun>/<verb>.ts` (or `commands/<noun>.ts` for a noun without verbs) that exports one
 * `defineCommand({…})` of `framework/command.ts`, as `commands/policy/explain.ts` does, and add it to COMMANDS here. A
 * new noun also gets a line in NOUNS. Help, errors and completion follow from the declaration.
 *
 * `test/system/cli/command-examples.test.ts` runs each example in a copy of the checkout's example (or, with `within`, in
 * an empty directory), and the first one again with `--output json`. Then `npm run reference` writes `docs/reference/`,
 * and `npm run golden` writes the golden files of help and JSON: read the difference before you commit it.
 */
import { completion } from './commands/completion.ts';
import { connect } from './commands/connect.ts';
import { doctor } from './commands/doctor.ts';
import { init } from './commands/init.ts';
import { keysCreate } from './commands/keys/create.ts';
import { keysList } from './commands/keys/list.ts';
import { keysRevoke } from './commands/keys/revoke.ts';
import { ledgerList } from './commands/ledger/list.ts';
import { ledgerShow } from './commands/ledger/show.ts';
import { ledgerTail } from './commands/ledger/tail.ts';
import { limitsStatusCommand } from './commands/limits/status.ts';
import { policyCheck } from './commands/policy/check.ts';
import { policyExplain } from './commands/policy/explain.ts';
import { policyList } from './commands/policy/list.ts';
import { policyTest } from './commands/policy/test.ts';
import { posture } from './commands/posture.ts';
import { registryAdd } from './commands/registry/add.ts';
import { registryDiff } from './commands/registry/diff.ts';
import { registryImport } from './commands/registry/import.ts';
import { registryList } from './commands/registry/list.ts';
import { registryPin } from './commands/registry/pin.ts';
import { replayDecide } from './commands/replay/decide.ts';
import { serve } from './commands/serve.ts';
import { stdio } from './commands/stdio.ts';
import { usage } from './commands/usage.ts';
import type { CommandDefinition } from './framework/command.ts';

export const COMMANDS: readonly CommandDefinition[] = [
  init,
  serve,
  stdio,
  connect,
  doctor,
  posture,
  policyCheck,
  policyTest,
  policyExplain,
  policyList,
  registryList,
  registryDiff,
  registryPin,
  registryAdd,
  registryImport,
  keysCreate,
  keysList,
  keysRevoke,
  limitsStatusCommand,
  ledgerList,
  ledgerShow,
  ledgerTail,
  usage,
  replayDecide,
  completion,
];

/** Subject of each noun that has verbs. */
export const NOUNS: Readonly<Record<string, string>> = {
  policy: 'Inspect and test the policy: who may do what, and why.',
  registry: 'List servers and tools, add servers, and pin tool definitions.',
  keys: 'Create, list and revoke the API keys with which agents authenticate over HTTP.',
  limits: 'Show the usage of rates, concurrency limits and budgets.',
  ledger: 'Read the ledger: requests, decisions and outcomes.',
  replay: 'Decide recorded calls again.',
};
