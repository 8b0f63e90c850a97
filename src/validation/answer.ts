import type { Control, Exchange } from '../domain/control.ts';
import type { PostureRow } from '../domain/posture.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import type { SchemaCompiler } from './compile.ts';
import { isModelContent } from './model-content.ts';
import { type ErrorFact, type SchemaFacts, schemaFacts, sentenceOf } from './schema-facts.ts';

export const answerPosture: PostureRow<'answer-invalid'> = {
  guard: 'answers',
  when: 'an agent answers a question otherwise than it was asked; the tool server does not get it',
  yields: 'answer-invalid',
  opens: null,
};

const FAULTS = {
  'no-answer': 'there is none',
  action: '`action` is neither `accept`, `decline` nor `cancel`',
  content: '`content` is missing, or is there where nothing may be sent with the answer',
  message: 'it is no message of a model: `role`, `content` and `model`',
  roots: '`roots` is not a list of `file://` URIs',
} as const;
type Fault = keyof typeof FAULTS;

/** What is wrong with the form of an answer (empty: nothing), and with what a form was filled in with. */
export type AnswerFacts = {
  readonly schema: string;
  readonly fault: Fault | '';
  readonly errors: readonly ErrorFact[];
};

const FINE: AnswerFacts = Object.freeze({ schema: '', fault: '', errors: [] });
/** No more roots than a user has directories open. */
const MAX_ROOTS = 1_000;

/** The control `validate-answer`: what a tool server gets is what it asked for. */
export function validateAnswer(schemas: SchemaCompiler): Control<AnswerFacts> {
  return { name: 'validate-answer', gather: (exchange) => gather(schemas, exchange), decide };
}

function gather(schemas: SchemaCompiler, { call, result }: Exchange): AnswerFacts {
  if (result === undefined) return faulty('no-answer');
  if (call.action === 'roots') return areRoots(result.roots) ? FINE : faulty('roots');
  if (call.action === 'sample') return isModelMessage(result) ? FINE : faulty('message');
  const { action, content } = result;
  if (action !== 'accept' && action !== 'decline' && action !== 'cancel') return faulty('action');
  if (action !== 'accept' || call.args.mode === 'url') return isNothing(content) ? FINE : faulty('content');
  if (!isJsonObject(content)) return faulty('content');
  const { requestedSchema } = call.args;
  // INVARIANT: `guard-question` let only forms through whose schema is admitted.
  const facts: SchemaFacts = schemaFacts(
    schemas.compile(isJsonObject(requestedSchema) ? requestedSchema : {}),
    content,
  );
  return { ...facts, fault: '' };
}

function decide(_exchange: Exchange, { fault, errors }: AnswerFacts): Verdict {
  if (fault !== '') return deny(answerPosture.yields, `the answer is not passed on: ${FAULTS[fault]}`);
  if (errors.length === 0) return allow();
  return deny(
    answerPosture.yields,
    `the answer is not passed on, it does not match the form: ${sentenceOf(errors, 'the whole')}`,
  );
}

function faulty(fault: Fault): AnswerFacts {
  return { schema: '', fault, errors: [] };
}

function isNothing(content: JsonValue | undefined): boolean {
  return content === undefined || content === null || (isJsonObject(content) && Object.keys(content).length === 0);
}

function isModelMessage({ role, content, model }: JsonObject): boolean {
  return (role === 'user' || role === 'assistant') && typeof model === 'string' && isModelContent(content);
}

function areRoots(roots: JsonValue | undefined): boolean {
  return (
    Array.isArray(roots) &&
    roots.length <= MAX_ROOTS &&
    roots.every((root) => isJsonObject(root) && typeof root.uri === 'string' && root.uri.startsWith('file://'))
  );
}
