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
  if (errors.length === 0) return { schema: schema.digest, errors: NONE };
  return { schema: schema.digest, errors: errors.map(({ pointer, keyword }) => ({ pointer, keyword })) };
}

const NONE: readonly ErrorFact[] = [];

/** The errors as one sentence for a model: `what` stands for the whole value. */
export function sentenceOf(errors: readonly ErrorFact[], what: string): string {
  return errors
    .slice(0, MAX_NAMED)
    .map(({ pointer, keyword }) => `${pointer === '' ? what : `\`${pointer}\``} ${messageOf(keyword)} (${keyword})`)
    .join('; ');
}
