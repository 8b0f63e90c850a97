import type { JsonValue } from '../lib/json.ts';
import type { CompiledSchema } from './compile.ts';
import { messageOf } from './schema-error.ts';

/** Where and by which keyword a value failed: declared names and places, never a part of the value. */
export type ErrorFact = { readonly pointer: string; readonly keyword: string };

/** What validation saw: the digest of the schema it used, and at most five errors; none when the value is valid. */
export type SchemaFacts = { readonly schema: string; readonly errors: readonly ErrorFact[] };

/** Most errors that a sentence names; a failed union brings one per alternative. */
const MAX_NAMED = 3;

/** The facts of one validation. */
export function schemaFacts(schema: CompiledSchema, value: JsonValue): SchemaFacts {
  const errors = schema.validate(value);
  if (errors.length === 0) return validFacts(schema);
  return { schema: schema.digest, errors: errors.map(({ pointer, keyword }) => ({ pointer, keyword })) };
}

const NONE: readonly ErrorFact[] = [];
const valid = new WeakMap<CompiledSchema, SchemaFacts>();

/** The same for every valid value of a schema: frozen, so that it is made and printed once. */
function validFacts(schema: CompiledSchema): SchemaFacts {
  let facts = valid.get(schema);
  if (facts === undefined) {
    facts = Object.freeze({ errors: NONE, schema: schema.digest });
    valid.set(schema, facts);
  }
  return facts;
}

/** The errors as one sentence for a model: `what` stands for the whole value. */
export function sentenceOf(errors: readonly ErrorFact[], what: string): string {
  return errors
    .slice(0, MAX_NAMED)
    .map(({ pointer, keyword }) => `${pointer === '' ? what : `\`${pointer}\``} ${messageOf(keyword)} (${keyword})`)
    .join('; ');
}
