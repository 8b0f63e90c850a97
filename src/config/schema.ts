import { type ZodType, z } from 'zod';
import { type $ZodType, type $ZodTypes, globalRegistry } from 'zod/v4/core';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';

type Path = readonly PropertyKey[];

/** Keys of the object schema at `path`; empty if there is no object schema. */
export function allowedKeys(schema: $ZodType, path: Path): string[] {
  return schemasAt(schema, path).flatMap((keys) => {
    const def = definitionOf(keys);
    return def.type === 'object' ? Object.keys(def.shape) : [];
  });
}

/** Description of the schema at `path` without full stop; undefined if it has none. */
export function descriptionAt(schema: $ZodType, path: Path): string | undefined {
  let steps: readonly $ZodType[] = [schema];
  for (const key of path) steps = steps.flatMap((step) => unwrap(step)).flatMap((step) => member(step, key));
  for (const step of steps) {
    for (let inner: $ZodType | undefined = step; inner !== undefined; inner = innerOf(inner)) {
      const description = globalRegistry.get(inner)?.description;
      if (description !== undefined) return description.replace(/\.$/, '');
    }
  }
  return undefined;
}

function schemasAt(schema: $ZodType, path: Path): $ZodType[] {
  let steps = unwrap(schema);
  for (const key of path) steps = steps.flatMap((step) => member(step, key)).flatMap(unwrap);
  return steps;
}

/** The inner schemas of optional, default, transform and union. */
function unwrap(schema: $ZodType): $ZodType[] {
  const def = definitionOf(schema);
  if (def.type === 'union') return def.options.flatMap(unwrap);
  const inner = innerOf(schema);
  return inner === undefined ? [schema] : unwrap(inner);
}

function innerOf(schema: $ZodType): $ZodType | undefined {
  const def = definitionOf(schema);
  if (def.type === 'pipe') return def.in;
  return 'innerType' in def ? def.innerType : undefined;
}

function member(schema: $ZodType, key: PropertyKey): $ZodType[] {
  const def = definitionOf(schema);
  if (def.type === 'object')
    return typeof key === 'string' && Object.hasOwn(def.shape, key) ? isPresent(def.shape[key]) : [];
  if (def.type === 'record') return [def.valueType];
  if (def.type === 'array') return [def.element];
  return [];
}

function isPresent(schema: $ZodType | undefined): $ZodType[] {
  return schema === undefined ? [] : [schema];
}

/** The definition of a schema, typed as the union of all kinds, which `type` discriminates. */
function definitionOf(schema: $ZodType): $ZodTypes['_zod']['def'] {
  // `as`: the base class of zod hides the union that its own `type` discriminates.
  return (schema as $ZodTypes)._zod.def;
}

/** JSON Schema of a settings file for editors; draft 7, which most editors support. `title` names the file. */
export function editorSchema(schema: ZodType, title: string): JsonObject {
  const generated: unknown = z.toJSONSchema(schema, { target: 'draft-07', io: 'input', unrepresentable: 'any' });
  // Via text, so that the result is plain JSON and can be compared with a file.
  const plain: unknown = JSON.parse(JSON.stringify(generated));
  if (!isJsonObject(plain)) throw new TypeError('a schema of settings must be an object');
  return { title, ...plain };
}

/** Text of a generated schema file. */
export function editorSchemaText(schema: ZodType, title: string): string {
  return `${JSON.stringify(editorSchema(schema, title), null, 2)}\n`;
}

/** Formats of string fields, such as `duration`, for the reference pages. */
export const FIELD_FORMATS: z.core.$ZodRegistry<{ readonly form: string }> = z.registry();

/** Registers the format of a string field, such as `duration`. Call it last: a refinement creates another schema. */
export function withFormat<Schema extends ZodType>(schema: Schema, form: string): Schema {
  FIELD_FORMATS.add(schema, { form });
  return schema;
}
