import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { toAsciiConfusable } from '../../lib/text/confusables.ts';
import type { ToolTarget } from '../target.ts';

/** Argument that is repeated in a header (`x-mcp-header`; streamable HTTP 2026-07-28, "Custom headers"). */
export interface ParamHeader {
  /** Name of the header in lower case, `mcp-param-…`. */
  readonly header: string;
  /** Path of the argument. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

/** Param headers of a schema, or a clause that says why they are invalid and repeats no part of the schema. */
export type ParamHeadersResult = { readonly headers: readonly ParamHeader[] } | { readonly invalid: string };

const PARAM_HEADER_KEYWORD = 'x-mcp-header';
/** RFC 9110, `token`, limited to 128 characters. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Keywords whose value is data, not a schema. */
const VALUE_KEYWORDS: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples']);
const bySchema = new WeakMap<JsonObject, ParamHeadersResult>();

/**
 * Parses `x-mcp-header` in a tool's `inputSchema`. It is valid on properties of type string, integer or boolean that are
 * reached through `properties` alone, with names that are tokens and differ by more than case. Cached by schema. The
 * schema MUST be bounded already.
 */
export function parseParamHeaders(inputSchema: JsonObject): ParamHeadersResult {
  let result = bySchema.get(inputSchema);
  if (result === undefined) {
    const headers: ParamHeader[] = [];
    const invalid = collectParamHeaders(inputSchema, [], headers);
    result = invalid === undefined ? { headers } : { invalid };
    bySchema.set(inputSchema, result);
  }
  return result;
}

/** Returns the param headers of a tool, by the schema that agents see. Empty if they are invalid. */
export function paramHeadersOf({
  advertised,
  inputSchema,
}: Pick<ToolTarget, 'advertised' | 'inputSchema'>): readonly ParamHeader[] {
  const schema = advertised?.inputSchema;
  const result = parseParamHeaders(isJsonObject(schema) ? schema : inputSchema);
  return 'invalid' in result ? [] : result.headers;
}

/** Returns the header value of an argument; undefined if the argument is missing or has another type. */
export function paramHeaderValue(args: JsonObject, path: readonly string[]): string | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

/**
 * Removes the param headers of secret arguments: of `secretPaths` (dotted) and everything below them, and of arguments
 * whose name or header is that of a secret. Returns undefined if there is none.
 */
export function withoutParamHeaders(inputSchema: JsonObject, secretPaths: readonly string[]): JsonObject | undefined {
  const result = parseParamHeaders(inputSchema);
  if ('invalid' in result) return undefined;
  const secretHeaders = result.headers.filter((argument) => isSecret(argument, secretPaths));
  if (secretHeaders.length === 0) return undefined;
  return secretHeaders.reduce((schema, { path }) => removeParamHeader(schema, path), inputSchema);
}

/** A secret in a header would appear in the log of every proxy. */
function isSecret({ path, header }: ParamHeader, secretPaths: readonly string[]): boolean {
  const fullPath = path.join('.');
  if (secretPaths.some((name) => fullPath === name || fullPath.startsWith(`${name}.`))) return true;
  return [...path, header].some((name) => isSecretKey(toAsciiConfusable(name)));
}

function removeParamHeader(schema: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) {
    const { [PARAM_HEADER_KEYWORD]: _, ...unmarked } = schema;
    return unmarked;
  }
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const property = properties[name];
  if (!isJsonObject(property)) return schema;
  return { ...schema, properties: { ...properties, [name]: removeParamHeader(property, rest) } };
}

/** Collects the param headers below a schema. @returns a clause that says why one is invalid. */
function collectParamHeaders(schema: JsonObject, path: readonly string[], headers: ParamHeader[]): string | undefined {
  const invalid = Object.hasOwn(schema, PARAM_HEADER_KEYWORD) ? addParamHeader(schema, path, headers) : undefined;
  if (invalid !== undefined) return invalid;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties' || !isJsonObject(value)) {
      if (!VALUE_KEYWORDS.has(key) && containsParamHeader(value)) return 'a header is declared outside of `properties`';
      continue;
    }
    for (const [name, property] of Object.entries(value)) {
      const invalidBelow = isJsonObject(property) ? collectParamHeaders(property, [...path, name], headers) : undefined;
      if (invalidBelow !== undefined) return invalidBelow;
    }
  }
  return undefined;
}

function addParamHeader(schema: JsonObject, path: readonly string[], headers: ParamHeader[]): string | undefined {
  const { [PARAM_HEADER_KEYWORD]: name, type } = schema;
  if (path.length === 0) return 'a header is declared outside of `properties`';
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'the name of a header is not a token (RFC 9110)';
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    return 'a header is declared on a property that is not a string, integer or boolean';
  }
  const header = `mcp-param-${name.toLowerCase()}`;
  if (headers.some((other) => other.header === header)) return 'two properties declare the same header';
  headers.push({ header, path, type });
  return undefined;
}

function containsParamHeader(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(containsParamHeader);
  if (!isJsonObject(value)) return false;
  return (
    Object.hasOwn(value, PARAM_HEADER_KEYWORD) ||
    Object.entries(value).some(([key, below]) => !VALUE_KEYWORDS.has(key) && containsParamHeader(below))
  );
}
