import type { JsonValue } from '../../lib/json/json.ts';
import type { CompiledSchema } from './compile.ts';
import { errorMessage } from './schema-error.ts';

/** Where and by which keyword a value failed: declared names and places, never a part of the value. */
export type ErrorFact = { readonly pointer: string; readonly keyword: string };

/** What validation saw: the digest of the schema it used, and at most five errors; none when the value is valid. */
export type SchemaFacts = { readonly schema: string; readonly errors: readonly ErrorFact[] };

/** Most errors that a sentence names; a failed union brings one per alternative. */
const MAX_DESCRIBED = 3;

/** The facts of one validation. */
export function createSchemaFacts(schema: CompiledSchema, value: JsonValue): SchemaFacts {
  const errors = schema.validate(value);
  if (errors.length === 0) return validSchemaFacts(schema);
  return { schema: schema.digest, errors: errors.map(({ pointer, keyword }) => ({ pointer, keyword })) };
}

const NO_ERRORS: readonly ErrorFact[] = [];
const validFactsByDigest = new WeakMap<CompiledSchema, SchemaFacts>();

/** The same for every valid value of a schema: frozen, so that it is made and printed once. */
function validSchemaFacts(schema: CompiledSchema): SchemaFacts {
  let facts = validFactsByDigest.get(schema);
  if (facts === undefined) {
    facts = Object.freeze({ errors: NO_ERRORS, schema: schema.digest });
    validFactsByDigest.set(schema, facts);
  }
  return facts;
}

/** The errors as one sentence for a model: `what` stands for the whole value. */
export function describe(errors: readonly ErrorFact[], subject: string): string {
  return errors
    .slice(0, MAX_DESCRIBED)
    .map(
      ({ pointer, keyword }) => `${pointer === '' ? subject : `\`${pointer}\``} ${errorMessage(keyword)} (${keyword})`,
    )
    .join('; ');
}
