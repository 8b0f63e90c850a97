import { type ZodType, z } from 'zod';

/** How a value that is written as text is to be read: a unit such as `duration`, for the reference pages. */
export const FIELD_FORMATS: z.core.$ZodRegistry<{ readonly form: string }> = z.registry();

/** Says what the text of a field is, such as `duration`. To be said last: every further refinement is another schema. */
export function withFormat<Schema extends ZodType>(schema: Schema, form: string): Schema {
  FIELD_FORMATS.add(schema, { form });
  return schema;
}
