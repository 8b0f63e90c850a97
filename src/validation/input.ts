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
    "they do not match the tool's `inputSchema` or the schema of another kind of call, or a virtual server fixes one of them",
  result: 'arguments-invalid',
  override: null,
};

/** Creates the control `validate-input`: the arguments must match the schema of their call. */
export function validateInput(schemas: SchemaCompiler): Control<SchemaFacts> {
  return {
    name: 'validate-input',
    gather: ({ call }) => {
      const schema = argumentsSchema(call);
      // An unknown target has no schema. `authorize` has refused it before.
      if (schema === undefined) return { schema: '', errors: [{ pointer: '', keyword: 'false schema' }] };
      const compiled = schemas.compile(schema);
      const { overriddenArguments: overridden = [] } = call;
      if (overridden.length > 0) return { schema: compiled.digest, errors: overridden.map(notAllowed) };
      return createSchemaFacts(compiled, call.args);
    },
    decide: ({ call }, { errors }) => {
      if (errors.length === 0) return allow();
      return deny(inputFailureMode.result, `the arguments do not match ${describeTarget(call)}: ${describe(errors)}`);
    },
  };
}

/** Reports a fixed argument as one that the schema forbids, because its fixed value is not disclosed. */
function notAllowed(name: string): ErrorFact {
  return { pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, keyword: 'false schema' };
}

function describeTarget({ target, action }: Call): string {
  if (action === 'complete') return 'the parameters of a completion';
  return target.kind === 'prompt' ? 'those that the prompt declares' : "the tool's schema";
}

/** Schema of completion parameters (MCP, completion/complete). Their values pass unchanged. */
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

/** Returns the schema of a call's arguments; undefined if the target is unknown. */
export function argumentsSchema({ target, action }: Call): JsonObject | undefined {
  if (target.kind === 'unknown') return undefined;
  if (action === 'complete') return COMPLETION_SCHEMA;
  return target.kind === 'tool' || target.kind === 'prompt' ? target.inputSchema : EMPTY_SCHEMA;
}

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

const ADMITTED: Admission = { admitted: true };

/**
 * Checks the schemas of a tool's definition, and the registry's output contract if there is one. A tool that is not
 * admitted is quarantined: its arguments or results could not be checked, or not within a bounded amount of work.
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
