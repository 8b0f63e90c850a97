import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/posture.ts';
import { allow, deny } from '../domain/verdict.ts';
import { argumentsSchema } from './call-shape.ts';
import type { SchemaCompiler } from './compile.ts';
import { createSchemaFacts, describe, type ErrorFact, type SchemaFacts } from './schema-facts.ts';

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
