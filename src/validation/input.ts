import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny } from '../domain/verdict.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';
import type { SchemaCompiler } from './json-schema/compile.ts';
import { readSchema } from './json-schema/read-schema.ts';
import { createSchemaFacts, describe, type ErrorFact, type SchemaFacts } from './json-schema/schema-facts.ts';

export const inputFailureMode: FailureMode<'arguments-invalid'> = {
  control: 'arguments',
  trigger:
    "they do not match the tool's `inputSchema`, or what else the call may carry, or one of them is fixed by a virtual server",
  result: 'arguments-invalid',
  override: null,
};

/** The control `validate-input`: the arguments match the schema of their call, so that what is sent has been validated. */
export function validateInput(schemas: SchemaCompiler): Control<SchemaFacts> {
  return {
    name: 'validate-input',
    gather: ({ call }) => {
      const schema = argumentsSchema(call);
      // What does not exist has no schema; `authorize` has refused it long before.
      if (schema === undefined) return { schema: '', errors: [{ pointer: '', keyword: 'false schema' }] };
      const compiled = schemas.compile(schema);
      const { overriddenArguments: overridden = [] } = call;
      if (overridden.length > 0) return { schema: compiled.digest, errors: overridden.map(notAllowed) };
      return createSchemaFacts(compiled, call.args);
    },
    decide: ({ call }, { errors }) => {
      if (errors.length === 0) return allow();
      return deny(
        inputFailureMode.result,
        `the arguments do not match ${describeTarget(call)}: ${describe(errors, 'the whole')}`,
      );
    },
  };
}

/** Said as of an argument that the schema forbids: what it is fixed to is told to nobody. */
function notAllowed(name: string): ErrorFact {
  return { pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, keyword: 'false schema' };
}

function describeTarget({ target, action }: Call): string {
  if (action === 'complete') return 'what a completion takes';
  return target.kind === 'prompt' ? 'what the prompt takes' : "the tool's schema";
}

/** What a completion is asked with (MCP, completion/complete); its values pass as they are. */
const COMPLETION_SCHEMA: JsonObject = Object.freeze({
  type: 'object',
  properties: {
    argument: {
      type: 'object',
      properties: { name: { type: 'string' }, value: { type: 'string' } },
      required: ['name', 'value'],
      additionalProperties: false,
    },
    context: {
      type: 'object',
      properties: { arguments: { type: 'object', additionalProperties: { type: 'string' } } },
      additionalProperties: false,
    },
  },
  required: ['argument'],
  additionalProperties: false,
});

/** A read has no arguments: its URI is its target. */
const EMPTY_SCHEMA: JsonObject = Object.freeze({ type: 'object', additionalProperties: false });

/** The schema of the arguments of a call; undefined for what does not exist. */
export function argumentsSchema({ target, action }: Call): JsonObject | undefined {
  if (target.kind === 'unknown') return undefined;
  if (action === 'complete') return COMPLETION_SCHEMA;
  return target.kind === 'tool' || target.kind === 'prompt' ? target.inputSchema : EMPTY_SCHEMA;
}

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

const ADMITTED: Admission = { admitted: true };

/**
 * Judges the schemas of a tool's definition, and the registry's output contract where there is one. What is not
 * admitted is quarantined: its arguments or results could not be checked, or checking them could not be bounded.
 */
export function admitTool(definition: JsonObject, contract?: JsonObject): Admission {
  const { inputSchema, outputSchema } = definition;
  if (!isJsonObject(inputSchema)) return rejectSchema('inputSchema', 'it is not an object');
  // MCP schema, Tool.inputSchema: the root MUST have `type: "object"`.
  if (inputSchema.type !== 'object') return rejectSchema('inputSchema', 'its type is not `object`');
  const schemas: [string, JsonObject | boolean][] = [['inputSchema', inputSchema]];
  if (outputSchema !== undefined) {
    if (!isJsonObject(outputSchema)) return rejectSchema('outputSchema', 'it is not an object');
    schemas.push(['outputSchema', outputSchema]);
  }
  if (contract !== undefined) schemas.push(['output contract', contract]);
  for (const [name, schema] of schemas) {
    const reading = readSchema(schema);
    if (!reading.admitted) return rejectSchema(name, reading.reason);
  }
  return ADMITTED;
}

function rejectSchema(name: string, reason: string): Admission {
  return { admitted: false, reason: `the ${name} is not admitted: ${reason}` };
}
