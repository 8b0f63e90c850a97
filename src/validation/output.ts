import type { Action } from '../domain/call.ts';
import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { ToolTarget } from '../domain/target.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json/json.ts';
import { parseStrictJson } from '../lib/json/strict-json.ts';
import type { SchemaCompiler } from './json-schema/compile.ts';
import { createSchemaFacts, describe, type ErrorFact, type SchemaFacts } from './json-schema/schema-facts.ts';

export const outputFailureMode: FailureMode<'output-invalid'> = {
  control: 'results',
  trigger: 'one is not a valid result, or does not match its schema; it is withheld',
  result: 'output-invalid',
  override: "a tool without `outputSchema`, and without `output` in its server's file: then only its form is checked",
};

/** Problems of the form of a result, which is checked before any schema. */
const FAULT_MESSAGES = {
  'no-result': 'there is no result to check',
  'other-kind': 'it is not a complete result',
  content: '`content` is not a list of content blocks that name their type',
  messages: '`messages` is not a list of messages with a role and a content block',
  contents: '`contents` is not a list of contents that name their URI and hold text or a blob',
  completion: '`completion` does not hold a list of at most 100 strings',
  unstructured: 'the tool declares an `outputSchema` and `structuredContent` is missing',
  'text-json': 'the registry requires JSON, and the content is not one text block of JSON',
} as const;
type Fault = keyof typeof FAULT_MESSAGES;

/** Facts of `validate-output`: digest of the schema (empty if none applied), problem of the form, errors of the value. */
export type OutputFacts = {
  readonly schema: string;
  readonly fault: Fault | '';
  readonly errors: readonly ErrorFact[];
};

const VALID_FACTS: OutputFacts = Object.freeze({ schema: '', fault: '', errors: [] });
/** Facts of valid results, created and serialized once per schema. */
const validFactsBySchemaFacts = new WeakMap<SchemaFacts, OutputFacts>();

/** Deepest nesting of JSON in a block of text. */
const MAX_TEXT_DEPTH = 128;

/**
 * Creates the control `validate-output`: a result must have the form that MCP defines, and a tool's structured content
 * must match its `outputSchema` or the registry's contract. Other results are withheld.
 */
export function validateOutput(schemas: SchemaCompiler): Control<OutputFacts> {
  return { name: 'validate-output', gather: (exchange) => gather(schemas, exchange), decide };
}

function gather(schemas: SchemaCompiler, { call, result }: Exchange): OutputFacts {
  const { target } = call;
  if (result === undefined || target.kind === 'unknown') return faultFacts('no-result');
  // 2026-07-28 names the type of every result. Before, there was only one.
  if (result.resultType !== undefined && result.resultType !== 'complete') return faultFacts('other-kind');
  if (target.kind !== 'tool') {
    const fault = resultShapeFault(call.action, result);
    return fault === undefined ? VALID_FACTS : faultFacts(fault);
  }
  if (!isContent(result.content)) return faultFacts('content');
  // MCP tools, "Output Schema": an error result need not match.
  if (result.isError === true || target.outputSchema === undefined) return VALID_FACTS;
  const value = structuredValue(target, result);
  if (value === undefined) return faultFacts(declaresOutput(target) ? 'unstructured' : 'text-json');
  const facts = createSchemaFacts(schemas.compile(target.outputSchema), value);
  return facts.errors.length === 0 ? validFacts(facts) : { ...facts, fault: '' };
}

function validFacts(facts: SchemaFacts): OutputFacts {
  let output = validFactsBySchemaFacts.get(facts);
  if (output === undefined) {
    output = Object.freeze({ ...facts, fault: '' });
    validFactsBySchemaFacts.set(facts, output);
  }
  return output;
}

function decide(_exchange: Exchange, { fault, errors }: OutputFacts): Verdict {
  if (fault !== '') return deny(outputFailureMode.result, `the result is withheld: ${FAULT_MESSAGES[fault]}`);
  if (errors.length === 0) return allow();
  return deny(outputFailureMode.result, `the result is withheld, it does not match its schema: ${describe(errors)}`);
}

function faultFacts(fault: Fault): OutputFacts {
  return { schema: '', fault, errors: [] };
}

function isContent(content: JsonValue | undefined): boolean {
  return Array.isArray(content) && content.every(isBlock);
}

function isBlock(block: JsonValue): boolean {
  if (!isJsonObject(block) || typeof block.type !== 'string') return false;
  return block.type !== 'text' || typeof block.text === 'string';
}

/** Limit of the values of one completion (MCP, completion/complete). */
const MAX_COMPLETIONS = 100;

/** Checks the form of the result of a prompt, a resource or a completion; undefined if it is valid. */
function resultShapeFault(action: Action, result: JsonObject): Fault | undefined {
  // An empty result: success is all it means.
  if (action === 'subscribe') return undefined;
  if (action === 'complete') return isCompletion(result.completion) ? undefined : 'completion';
  if (action === 'get') return isListOf(result.messages, isPromptMessage) ? undefined : 'messages';
  return isListOf(result.contents, isContents) ? undefined : 'contents';
}

function isListOf(value: JsonValue | undefined, isMember: (member: JsonValue) => boolean): boolean {
  return Array.isArray(value) && value.every(isMember);
}

function isPromptMessage(message: JsonValue): boolean {
  if (!isJsonObject(message) || (message.role !== 'user' && message.role !== 'assistant')) return false;
  return message.content !== undefined && isBlock(message.content);
}

function isContents(contents: JsonValue): boolean {
  if (!isJsonObject(contents) || typeof contents.uri !== 'string') return false;
  return (typeof contents.text === 'string') !== (typeof contents.blob === 'string');
}

function isCompletion(completion: JsonValue | undefined): boolean {
  if (!isJsonObject(completion) || !Array.isArray(completion.values)) return false;
  const { values } = completion;
  return values.length <= MAX_COMPLETIONS && values.every((value) => typeof value === 'string');
}

function declaresOutput(target: ToolTarget): boolean {
  return target.definition.outputSchema !== undefined;
}

/** Returns the value that the schema applies to; undefined if the result has none. */
function structuredValue(target: ToolTarget, result: JsonObject): JsonValue | undefined {
  if (result.structuredContent !== undefined || declaresOutput(target)) return result.structuredContent;
  // With a contract of the registry: a server that declares no schema may return JSON as text.
  const [block, second] = result.content as readonly JsonValue[];
  if (!isJsonObject(block) || second !== undefined || typeof block.text !== 'string') return undefined;
  const limits = { maxBytes: target.maxResultBytes, maxDepth: MAX_TEXT_DEPTH, allowUnsafeNumbers: true };
  const parsed = parseStrictJson(block.text, limits);
  return parsed.ok ? parsed.value : undefined;
}
