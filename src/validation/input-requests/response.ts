import type { Control, Exchange } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { SchemaCompiler } from '../json-schema/compile.ts';
import { createSchemaFacts, describe, type ErrorFact, type SchemaFacts } from '../json-schema/schema-facts.ts';
import { isSamplingContent } from './guard.ts';

export const inputResponseFailureMode: FailureMode<'answer-invalid'> = {
  control: 'input responses',
  trigger: 'an agent responds with something that was not requested; the tool server does not get it',
  result: 'answer-invalid',
  override: null,
};

const FAULT_MESSAGES = {
  'no-answer': 'it is missing',
  action: '`action` is neither `accept`, `decline` nor `cancel`',
  content: '`content` is missing, or present although the action allows none',
  message: 'it is not a sampling message with `role`, `content` and `model`',
  roots: '`roots` is not a list of `file://` URIs',
} as const;
type Fault = keyof typeof FAULT_MESSAGES;

/** Facts of `validate-answer`: digest of the form's schema, problem of the response (empty if none), errors of the form. */
export type InputResponseFacts = {
  readonly schema: string;
  readonly fault: Fault | '';
  readonly errors: readonly ErrorFact[];
};

const VALID_FACTS: InputResponseFacts = Object.freeze({ schema: '', fault: '', errors: [] });
/** Limit of the roots in one response. */
const MAX_ROOTS = 1_000;

/** Creates the control `validate-answer`: an input response must match its request before the tool server gets it. */
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
  // INVARIANT: `guard-question` passes only forms whose schema is admitted.
  const facts: SchemaFacts = createSchemaFacts(
    schemas.compile(isJsonObject(requestedSchema) ? requestedSchema : {}),
    content,
  );
  return { ...facts, fault: '' };
}

function decide(_exchange: Exchange, { fault, errors }: InputResponseFacts): Verdict {
  if (fault !== '')
    return deny(inputResponseFailureMode.result, `the input response is not passed on: ${FAULT_MESSAGES[fault]}`);
  if (errors.length === 0) return allow();
  return deny(
    inputResponseFailureMode.result,
    `the input response is not passed on, it does not match the form: ${describe(errors)}`,
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
