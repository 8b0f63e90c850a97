import type { Control, Exchange } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { SchemaCompiler } from '../json-schema/compile.ts';
import { createSchemaFacts, describe, type ErrorFact, type SchemaFacts } from '../json-schema/schema-facts.ts';
import { isSamplingContent } from './guard.ts';

export const inputResponseFailureMode: FailureMode<'answer-invalid'> = {
  control: 'answers',
  trigger: 'an agent answers a question otherwise than it was asked; the tool server does not get it',
  result: 'answer-invalid',
  override: null,
};

const FAULT_MESSAGES = {
  'no-answer': 'there is none',
  action: '`action` is neither `accept`, `decline` nor `cancel`',
  content: '`content` is missing, or is there where nothing may be sent with the answer',
  message: 'it is no message of a model: `role`, `content` and `model`',
  roots: '`roots` is not a list of `file://` URIs',
} as const;
type Fault = keyof typeof FAULT_MESSAGES;

/** What is wrong with the form of an answer (empty: nothing), and with what a form was filled in with. */
export type InputResponseFacts = {
  readonly schema: string;
  readonly fault: Fault | '';
  readonly errors: readonly ErrorFact[];
};

const VALID_FACTS: InputResponseFacts = Object.freeze({ schema: '', fault: '', errors: [] });
/** No more roots than a user has directories open. */
const MAX_ROOTS = 1_000;

/** The control `validate-answer`: what a tool server gets is what it asked for. */
export function validateInputResponse(schemas: SchemaCompiler): Control<InputResponseFacts> {
  return { name: 'validate-answer', gather: (exchange) => gather(schemas, exchange), decide };
}

function gather(schemas: SchemaCompiler, { call, result }: Exchange): InputResponseFacts {
  if (result === undefined) return faultFacts('no-answer');
  if (call.action === 'roots') return isRootList(result.roots) ? VALID_FACTS : faultFacts('roots');
  if (call.action === 'sample') return isSamplingMessage(result) ? VALID_FACTS : faultFacts('message');
  const { action, content } = result;
  if (action !== 'accept' && action !== 'decline' && action !== 'cancel') return faultFacts('action');
  if (action !== 'accept' || call.args.mode === 'url')
    return isEmptyContent(content) ? VALID_FACTS : faultFacts('content');
  if (!isJsonObject(content)) return faultFacts('content');
  const { requestedSchema } = call.args;
  // INVARIANT: `guard-question` let only forms through whose schema is admitted.
  const facts: SchemaFacts = createSchemaFacts(
    schemas.compile(isJsonObject(requestedSchema) ? requestedSchema : {}),
    content,
  );
  return { ...facts, fault: '' };
}

function decide(_exchange: Exchange, { fault, errors }: InputResponseFacts): Verdict {
  if (fault !== '')
    return deny(inputResponseFailureMode.result, `the answer is not passed on: ${FAULT_MESSAGES[fault]}`);
  if (errors.length === 0) return allow();
  return deny(
    inputResponseFailureMode.result,
    `the answer is not passed on, it does not match the form: ${describe(errors, 'the whole')}`,
  );
}

function faultFacts(fault: Fault): InputResponseFacts {
  return { schema: '', fault, errors: [] };
}

function isEmptyContent(content: JsonValue | undefined): boolean {
  return content === undefined || content === null || (isJsonObject(content) && Object.keys(content).length === 0);
}

function isSamplingMessage({ role, content, model }: JsonObject): boolean {
  return (role === 'user' || role === 'assistant') && typeof model === 'string' && isSamplingContent(content);
}

function isRootList(roots: JsonValue | undefined): boolean {
  return (
    Array.isArray(roots) &&
    roots.length <= MAX_ROOTS &&
    roots.every((root) => isJsonObject(root) && typeof root.uri === 'string' && root.uri.startsWith('file://'))
  );
}
