import { isSecretKey } from '../lib/clear-text-secret.ts';
import { asciiLookalike } from '../lib/confusables.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import type { ToolTarget } from './target.ts';

/** An argument that a tool wants repeated in a header (`x-mcp-header`; streamable HTTP 2026-07-28, "Custom headers"). */
export interface MirroredArgument {
  /** Name of the header in lower case, `mcp-param-…`. */
  readonly header: string;
  /** Where the argument is. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

/** What a schema wants mirrored, or why its marks are not valid, in one clause that repeats nothing of a mark. */
export type MirrorReading = { readonly mirrored: readonly MirroredArgument[] } | { readonly invalid: string };

const MARK = 'x-mcp-header';
/** RFC 9110, `token`; longer ones serve nobody. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Members that hold values and no schemas. */
const VALUES: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples']);
const bySchema = new WeakMap<JsonObject, MirrorReading>();

/**
 * Reads the marks of a tool's `inputSchema`. They are valid on properties of a string, integer or boolean that are
 * reached through `properties` alone, with names that are tokens and differ by more than case. Kept by schema. The
 * schema must be bounded already.
 */
export function readMirrored(inputSchema: JsonObject): MirrorReading {
  let reading = bySchema.get(inputSchema);
  if (reading === undefined) {
    const mirrored: MirroredArgument[] = [];
    const invalid = visit(inputSchema, [], mirrored);
    reading = invalid === undefined ? { mirrored } : { invalid };
    bySchema.set(inputSchema, reading);
  }
  return reading;
}

/** What calls of a tool mirror, here as there: by the schema that agents see. Nothing where its marks are not valid. */
export function mirroredOf({
  shown,
  inputSchema,
}: Pick<ToolTarget, 'shown' | 'inputSchema'>): readonly MirroredArgument[] {
  const schema = shown?.inputSchema;
  const reading = readMirrored(isJsonObject(schema) ? schema : inputSchema);
  return 'invalid' in reading ? [] : reading.mirrored;
}

/** The text that mirrors an argument; undefined for what is not mirrored: nothing, and what no mark allows. */
export function mirroredText(args: JsonObject, path: readonly string[]): string | undefined {
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
export function withoutMarks(inputSchema: JsonObject, names: readonly string[]): JsonObject | undefined {
  const reading = readMirrored(inputSchema);
  if ('invalid' in reading) return undefined;
  const marked = reading.mirrored.filter((argument) => isSecret(argument, names));
  if (marked.length === 0) return undefined;
  return marked.reduce((schema, { path }) => withoutMark(schema, path), inputSchema);
}

/** A server that wants a secret in a header would have it in the log of every proxy on the way. */
function isSecret({ path, header }: MirroredArgument, names: readonly string[]): boolean {
  const whole = path.join('.');
  if (names.some((name) => whole === name || whole.startsWith(`${name}.`))) return true;
  return [...path, header].some((name) => isSecretKey(asciiLookalike(name)));
}

function withoutMark(schema: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) {
    const { [MARK]: _, ...unmarked } = schema;
    return unmarked;
  }
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const property = properties[name];
  if (!isJsonObject(property)) return schema;
  return { ...schema, properties: { ...properties, [name]: withoutMark(property, rest) } };
}

/** Collects the marks below a schema that the chain of `properties` reaches; gives why one is not valid. */
function visit(schema: JsonObject, path: readonly string[], found: MirroredArgument[]): string | undefined {
  const invalid = Object.hasOwn(schema, MARK) ? take(schema, path, found) : undefined;
  if (invalid !== undefined) return invalid;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties' || !isJsonObject(value)) {
      if (!VALUES.has(key) && isMarkedWithin(value)) return 'a header is asked for where no property can be reached';
      continue;
    }
    for (const [name, property] of Object.entries(value)) {
      const below = isJsonObject(property) ? visit(property, [...path, name], found) : undefined;
      if (below !== undefined) return below;
    }
  }
  return undefined;
}

function take(schema: JsonObject, path: readonly string[], found: MirroredArgument[]): string | undefined {
  const { [MARK]: name, type } = schema;
  if (path.length === 0) return 'a header is asked for where no property can be reached';
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'a header is asked for by a name that is no token';
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    return 'a header is asked for a property that is no string, integer or boolean';
  }
  const header = `mcp-param-${name.toLowerCase()}`;
  if (found.some((other) => other.header === header)) return 'two properties ask for the same header';
  found.push({ header, path, type });
  return undefined;
}

function isMarkedWithin(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(isMarkedWithin);
  if (!isJsonObject(value)) return false;
  return (
    Object.hasOwn(value, MARK) ||
    Object.entries(value).some(([key, below]) => !VALUES.has(key) && isMarkedWithin(below))
  );
}
