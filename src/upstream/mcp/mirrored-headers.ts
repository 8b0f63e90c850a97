import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { encodeHeaderValue } from './header-value.ts';

interface MirroredArgument {
  readonly header: string;
  readonly path: readonly string[];
}

const NONE: Readonly<Record<string, string>> = {};
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
const MAX_DEPTH = 32;
const bySchema = new WeakMap<JsonObject, readonly MirroredArgument[]>();

/**
 * The `Mcp-Param-…` fields that mirror the arguments which a tool marks with `x-mcp-header` (streamable HTTP
 * 2026-07-28, "Custom headers"). Only properties reached through `properties` alone count; a name that is no token
 * is not mirrored, so that no schema can write a header of its own.
 */
export function mirroredHeaders(inputSchema: JsonObject, args: JsonObject): Readonly<Record<string, string>> {
  let mirrored = bySchema.get(inputSchema);
  if (mirrored === undefined) {
    mirrored = findMirrored(inputSchema, [], 0);
    bySchema.set(inputSchema, mirrored);
  }
  if (mirrored.length === 0) return NONE;
  const headers: Record<string, string> = {};
  for (const { header, path } of mirrored) {
    const text = textOf(valueAt(args, path));
    if (text !== undefined) headers[header] = encodeHeaderValue(text);
  }
  return headers;
}

function findMirrored(schema: JsonObject, path: readonly string[], depth: number): readonly MirroredArgument[] {
  if (!isJsonObject(schema.properties) || depth > MAX_DEPTH) return [];
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    if (!isJsonObject(property)) return [];
    const here = [...path, name];
    const header = property['x-mcp-header'];
    const found = findMirrored(property, here, depth + 1);
    return typeof header === 'string' && TOKEN.test(header)
      ? [{ header: `mcp-param-${header.toLowerCase()}`, path: here }, ...found]
      : found;
  });
}

function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}
