import type { $ZodType, $ZodTypes } from 'zod/v4/core';
import { globalRegistry } from 'zod/v4/core';

type Path = readonly PropertyKey[];

/** The keys that the object schema at `path` knows; empty where there is no object schema. */
export function allowedKeys(schema: $ZodType, path: Path): string[] {
  return schemasAt(schema, path).flatMap((keys) => {
    const def = definitionOf(keys);
    return def.type === 'object' ? Object.keys(def.shape) : [];
  });
}

/** The description of the schema at `path` without full stop; undefined where it has none. */
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

/** The schemas that do the work behind optional, default, transform and union. */
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

/** The definition as the union of all kinds of zod, so that `type` tells them apart. */
function definitionOf(schema: $ZodType): $ZodTypes['_zod']['def'] {
  // zod's base class hides the union that its own `type` discriminates.
  return (schema as $ZodTypes)._zod.def;
}
