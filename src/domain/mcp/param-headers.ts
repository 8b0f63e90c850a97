import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { isSecretKey } from '../../lib/secrets/detect-secret.ts';
import { toAsciiConfusable } from '../../lib/text/confusables.ts';
import type { ToolTarget } from '../target.ts';

/** An argument that a tool wants repeated in a header (`x-mcp-header`; streamable HTTP 2026-07-28, "Custom headers"). */
export interface ParamHeader {
  /** Name of the header in lower case, `mcp-param-…`. */
  readonly header: string;
  /** Where the argument is. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

/** What a schema wants mirrored, or why its marks are not valid, in one clause that repeats nothing of a mark. */
export type ParamHeadersResult = { readonly headers: readonly ParamHeader[] } | { readonly invalid: string };

const PARAM_HEADER_KEYWORD = 'x-mcp-header';
/** RFC 9110, `token`; longer ones serve nobody. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Members that hold values and no schemas. */
const VALUE_KEYWORDS: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples']);
const bySchema = new WeakMap<JsonObject, ParamHeadersResult>();

/**
 * Reads the marks of a tool's `inputSchema`. They are valid on properties of a string, integer or boolean that are
 * reached through `properties` alone, with names that are tokens and differ by more than case. Kept by schema. The
 * schema must be bounded already.
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

/** What calls of a tool mirror, here as there: by the schema that agents see. Nothing where its marks are not valid. */
export function paramHeadersOf({
  advertised,
  inputSchema,
}: Pick<ToolTarget, 'advertised' | 'inputSchema'>): readonly ParamHeader[] {
  const schema = advertised?.inputSchema;
  const result = parseParamHeaders(isJsonObject(schema) ? schema : inputSchema);
  return 'invalid' in result ? [] : result.headers;
}

/** The text that mirrors an argument; undefined for what is not mirrored: nothing, and what no mark allows. */
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
 * The schema without the marks of secret arguments: of `names` and what is in them, each a path with dots, and of those
 * whose name, or whose header's, is that of a secret. Undefined where none of them is marked.
 */
export function withoutParamHeaders(inputSchema: JsonObject, secretPaths: readonly string[]): JsonObject | undefined {
  const result = parseParamHeaders(inputSchema);
  if ('invalid' in result) return undefined;
  const secretHeaders = result.headers.filter((argument) => isSecret(argument, secretPaths));
  if (secretHeaders.length === 0) return undefined;
  return secretHeaders.reduce((schema, { path }) => removeParamHeader(schema, path), inputSchema);
}

/** A server that wants a secret in a header would have it in the log of every proxy on the way. */
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

/** Collects the marks below a schema that the chain of `properties` reaches; gives why one is not valid. */
function collectParamHeaders(schema: JsonObject, path: readonly string[], headers: ParamHeader[]): string | undefined {
  const invalid = Object.hasOwn(schema, PARAM_HEADER_KEYWORD) ? addParamHeader(schema, path, headers) : undefined;
  if (invalid !== undefined) return invalid;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties' || !isJsonObject(value)) {
      if (!VALUE_KEYWORDS.has(key) && containsParamHeader(value))
        return 'a header is asked for where no property can be reached';
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
  if (path.length === 0) return 'a header is asked for where no property can be reached';
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'a header is asked for by a name that is no token';
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    return 'a header is asked for a property that is no string, integer or boolean';
  }
  const header = `mcp-param-${name.toLowerCase()}`;
  if (headers.some((other) => other.header === header)) return 'two properties ask for the same header';
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
