import type { Control } from '../domain/control.ts';
import type { PostureRow } from '../domain/posture.ts';
import { allow, deny } from '../domain/verdict.ts';
import type { SchemaCompiler } from './compile.ts';
import { type SchemaFacts, schemaFacts, sentenceOf } from './schema-facts.ts';

export const inputPosture: PostureRow<'arguments-invalid'> = {
  guard: 'arguments',
  when: "they do not match the tool's `inputSchema`",
  yields: 'arguments-invalid',
  opens: null,
};

/** The control `validate-input`: the arguments match the tool's `inputSchema`, so that what is sent has been validated. */
export function validateInput(schemas: SchemaCompiler): Control<SchemaFacts> {
  return {
    name: 'validate-input',
    gather: ({ call }) => {
      // What does not exist has no schema; `authorize` has refused it long before.
      if (call.target.kind === 'unknown') return { schema: '', errors: [{ pointer: '', keyword: 'false schema' }] };
      return schemaFacts(schemas.compile(call.target.inputSchema), call.args);
    },
    decide: (_exchange, { errors }) => {
      if (errors.length === 0) return allow();
      return deny(
        inputPosture.yields,
        `the arguments do not match the tool's schema: ${sentenceOf(errors, 'the whole')}`,
      );
    },
  };
}
