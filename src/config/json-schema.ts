import { type ZodType, z } from 'zod';
import { isJsonObject, type JsonObject } from '../lib/json.ts';

/** The JSON Schema (draft 7, which editors know best) of what a person writes into a file, for editors. `title` names the file. */
export function editorSchema(schema: ZodType, title: string): JsonObject {
  const generated: unknown = z.toJSONSchema(schema, { target: 'draft-07', io: 'input', unrepresentable: 'any' });
  // Through text, so that what is compared with a file is what a file can hold.
  const plain: unknown = JSON.parse(JSON.stringify(generated));
  if (!isJsonObject(plain)) throw new TypeError('a schema of settings must be an object');
  return { title, ...plain };
}

/** The text of a generated schema file. */
export function editorSchemaText(schema: ZodType, title: string): string {
  return `${JSON.stringify(editorSchema(schema, title), null, 2)}\n`;
}
