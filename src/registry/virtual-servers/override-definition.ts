import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import type { Override } from './settings.ts';

/** Applicators whose subschemas apply to the same value (JSON Schema 2020-12 §10.2). */
const SAME_VALUE_LISTS = ['allOf', 'anyOf', 'oneOf'] as const;
const SAME_VALUE = ['if', 'then', 'else'] as const;
const MAX_DEPTH = 8;

/** The definition with the overrides of a view; undefined when it is unchanged. Its digest stays that of the source. */
export function overrideDefinition(
  definition: JsonObject,
  { name, override }: { readonly name: string; readonly override: Override | undefined },
): JsonObject | undefined {
  const { title, description, fixed = {} } = override ?? {};
  const names = Object.keys(fixed);
  if (definition.name === name && title === undefined && description === undefined && names.length === 0) {
    return undefined;
  }
  const { inputSchema } = definition;
  return {
    ...definition,
    name,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(names.length > 0 && isJsonObject(inputSchema) ? { inputSchema: withoutProperties(inputSchema, names, 0) } : {}),
  };
}

/** The names that a schema does not declare among its properties. */
export function undeclaredArguments(inputSchema: JsonObject, names: readonly string[]): readonly string[] {
  const { properties } = inputSchema;
  return names.filter((name) => !isJsonObject(properties) || !Object.hasOwn(properties, name));
}

/** Removes properties from a schema. Agents see the result; arguments are validated against the source schema. */
function withoutProperties(schema: JsonObject, names: readonly string[], depth: number): JsonObject {
  const remaining: Record<string, JsonObject[string]> = { ...schema };
  for (const member of ['properties', 'dependentRequired', 'dependentSchemas']) {
    const value = schema[member];
    if (isJsonObject(value)) remaining[member] = withoutKeys(value, names);
  }
  if (Array.isArray(schema.required)) {
    const required = schema.required.filter((name) => typeof name !== 'string' || !names.includes(name));
    if (required.length > 0) remaining.required = required;
    else delete remaining.required;
  }
  if (depth === MAX_DEPTH) return remaining;
  const within = (value: JsonObject[string]): JsonObject[string] =>
    isJsonObject(value) ? withoutProperties(value, names, depth + 1) : value;
  for (const member of SAME_VALUE_LISTS) {
    const value = schema[member];
    if (Array.isArray(value)) remaining[member] = value.map(within);
  }
  for (const member of SAME_VALUE) {
    const value = schema[member];
    if (value !== undefined) remaining[member] = within(value);
  }
  return remaining;
}

function withoutKeys(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([key]) => !names.includes(key))
      .map(([key, value]) => [
        key,
        Array.isArray(value) ? value.filter((name) => typeof name !== 'string' || !names.includes(name)) : value,
      ]),
  );
}
