import type { JsonValue } from '../../lib/json/json.ts';
import type { CompiledSchema } from './compile.ts';
import { errorMessage } from './schema-error.ts';

/** Position and keyword of one error: declared names and indexes, never a part of the value. */
export type ErrorFact = { readonly pointer: string; readonly keyword: string };

/** Facts of one validation: digest of the schema, and at most five errors; none if the value is valid. */
export type SchemaFacts = { readonly schema: string; readonly errors: readonly ErrorFact[] };

/** Limit of the errors in a message: a failed union has one per alternative. */
const MAX_DESCRIBED = 3;

/** Validates a value and returns the facts. */
export function createSchemaFacts(schema: CompiledSchema, value: JsonValue): SchemaFacts {
  const errors = schema.validate(value);
  if (errors.length === 0) return validSchemaFacts(schema);
  return { schema: schema.digest, errors: errors.map(({ pointer, keyword }) => ({ pointer, keyword })) };
}

const NO_ERRORS: readonly ErrorFact[] = [];
const validFactsBySchema = new WeakMap<CompiledSchema, SchemaFacts>();

/** Facts of every valid value of a schema: frozen, created and serialized once. */
function validSchemaFacts(schema: CompiledSchema): SchemaFacts {
  let facts = validFactsBySchema.get(schema);
  if (facts === undefined) {
    facts = Object.freeze({ errors: NO_ERRORS, schema: schema.digest });
    validFactsBySchema.set(schema, facts);
  }
  return facts;
}

/** Describes the errors in one sentence for a model. */
export function describe(errors: readonly ErrorFact[]): string {
  return errors
    .slice(0, MAX_DESCRIBED)
    .map(
      ({ pointer, keyword }) =>
        `${pointer === '' ? 'the value' : `\`${pointer}\``} ${errorMessage(keyword)} (${keyword})`,
    )
    .join('; ');
}
