import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { KEYWORDS_2020, KEYWORDS_DRAFT_07, type KeywordShape } from './keywords.ts';
import { compiledPattern } from './pattern.ts';

/** Supported dialects: JSON Schema 2020-12, the default of MCP, and draft-07, which must be declared. */
export type Dialect = '2020-12' | 'draft-07';

/** An untrusted schema of which every keyword is understood. */
export interface ReadSchema {
  readonly dialect: Dialect;
  readonly root: JsonValue;
  /** Every subschema by its JSON Pointer (RFC 6901). */
  readonly pointers: ReadonlyMap<string, JsonValue>;
  /** Pointers to which a `$ref` refers. */
  readonly targets: ReadonlySet<string>;
  /** Every property name in the schema. */
  readonly names: ReadonlySet<string>;
  /** Every keyword that the schema uses. */
  readonly keywords: ReadonlySet<string>;
}

export type SchemaReading =
  | { readonly admitted: true; readonly schema: ReadSchema }
  | { readonly admitted: false; readonly reason: string };

/** Limits of a schema from an untrusted server. */
export const SCHEMA_LIMITS = {
  maxSubschemas: 1_000,
  maxAlternatives: 200,
  maxBytes: 262_144,
  maxNodes: 5_000,
  maxDepth: 64,
  maxPatternSize: 10_000,
} as const;

/** Reads an untrusted schema. It is not admitted if it is too large, refers outside itself, loops, or is not understood. */
export function readSchema(root: JsonValue): SchemaReading {
  const reader = new SchemaReader(root);
  const reason = reader.read();
  return reason === undefined ? { admitted: true, schema: reader } : { admitted: false, reason };
}

/** Returns the pointer of a local `$ref`; undefined if it does not point into the same document. */
export function pointerFromRef(ref: string): string | undefined {
  if (ref === '#') return '';
  if (!ref.startsWith('#/')) return undefined;
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    return undefined;
  }
}

/** Appends one segment to a JSON Pointer (RFC 6901 §3). */
export function appendPointer(pointer: string, segment: string | number): string {
  return `${pointer}/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** One keyword of the schema at `pointer`. */
interface Entry {
  readonly keyword: string;
  readonly shape: KeywordShape;
  readonly value: JsonValue;
  readonly pointer: string;
}

/** Each `read` method returns the reason why the schema is not admitted, or undefined. */
class SchemaReader implements ReadSchema {
  readonly root: JsonValue;
  readonly pointers: Map<string, JsonValue> = new Map<string, JsonValue>();
  readonly targets: Set<string> = new Set<string>();
  readonly names: Set<string> = new Set<string>();
  readonly keywords: Set<string> = new Set<string>();
  readonly dialect: Dialect;
  readonly #keywords: ReadonlyMap<string, KeywordShape>;
  /** Edges between schemas that apply to the same value: they consume none of it, so a cycle would never end. */
  readonly #sameValue = new Map<string, string[]>();
  #patternSize = 0;

  constructor(root: JsonValue) {
    this.root = root;
    const declared = declaredDialect(root);
    this.dialect = DRAFT_07.test(declared) ? 'draft-07' : '2020-12';
    this.#keywords = this.dialect === 'draft-07' ? KEYWORDS_DRAFT_07 : KEYWORDS_2020;
  }

  read(): string | undefined {
    const declared = declaredDialect(this.root);
    if (declared !== '' && this.dialect !== 'draft-07' && !DRAFT_2020.test(declared)) {
      return 'its `$schema` is neither 2020-12 nor draft-07';
    }
    const reason = exceedsBounds(this.root) ?? this.#readSchema(this.root, '');
    if (reason !== undefined) return reason;
    for (const target of this.targets) {
      if (!this.pointers.has(target)) return 'a `$ref` points at nothing that is a schema';
    }
    // Ajv forgets the properties that `if` evaluated if a branch is missing or trivial.
    if (this.keywords.has('if') && this.keywords.has('unevaluatedProperties')) {
      return '`unevaluatedProperties` together with `if` is not supported';
    }
    return this.#findsLoop() ? 'a `$ref` leads back to itself without end' : undefined;
  }

  #readSchema(schema: JsonValue, pointer: string): string | undefined {
    this.pointers.set(pointer, schema);
    if (this.pointers.size > SCHEMA_LIMITS.maxSubschemas)
      return `it has more than ${SCHEMA_LIMITS.maxSubschemas} subschemas`;
    if (typeof schema === 'boolean') return undefined;
    if (!isJsonObject(schema)) return 'a subschema is neither an object nor a boolean';
    if (pointer !== '' && schema.$id !== undefined) return 'an inner `$id` is not supported';
    // Draft-07 §8.3: everything beside a `$ref` is ignored, though definitions there can still be pointed at.
    const bare = this.dialect === 'draft-07' && schema.$ref !== undefined;
    for (const keyword of Object.keys(schema)) {
      const shape = this.#keywords.get(keyword);
      const value = schema[keyword];
      if (shape === undefined || value === undefined) continue;
      if (bare && keyword !== '$ref' && shape.kind !== 'definitions') continue;
      const reason = this.#readKeyword({ keyword, shape, value, pointer });
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #readKeyword(entry: Entry): string | undefined {
    const { keyword, shape, value } = entry;
    const pointer = appendPointer(entry.pointer, keyword);
    this.keywords.add(keyword);
    switch (shape.kind) {
      case 'refused':
        return shape.rejectionReason;
      case 'assertion':
        return shape.accepts(value) ? this.#readAssertion(entry) : `\`${keyword}\` is not ${shape.expected}`;
      case 'schema':
        if (keyword === 'items' && this.dialect === 'draft-07' && Array.isArray(value)) {
          return this.#readList(value, pointer);
        }
        if (shape.inPlace) this.#link(entry.pointer, pointer);
        return this.#readSchema(value, pointer);
      case 'schemas':
        if (!Array.isArray(value) || value.length === 0) return `\`${keyword}\` is not a list of schemas`;
        if (value.length > SCHEMA_LIMITS.maxAlternatives) return `\`${keyword}\` has too many members`;
        for (const index of value.keys()) if (shape.inPlace) this.#link(entry.pointer, appendPointer(pointer, index));
        return this.#readList(value, pointer);
      case 'schema-map':
      case 'definitions':
        return isJsonObject(value) ? this.#readMap(entry, value) : `\`${keyword}\` is not a map of schemas`;
    }
  }

  #readList(schemas: readonly JsonValue[], pointer: string): string | undefined {
    for (const [index, schema] of schemas.entries()) {
      const reason = this.#readSchema(schema, appendPointer(pointer, index));
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #readMap({ keyword, shape, pointer }: Entry, map: JsonObject): string | undefined {
    for (const [name, schema] of Object.entries(map)) {
      // Such a key is refused in arguments, and dangerous in every object that is built from the schema.
      if (name === '__proto__') return 'a property is named `__proto__`';
      if (keyword === 'properties') this.names.add(name);
      const reason = keyword === 'patternProperties' ? this.#readPattern(name) : undefined;
      if (reason !== undefined) return reason;
      if (keyword === 'dependencies' && Array.isArray(schema)) {
        if (schema.some((item) => typeof item !== 'string')) return '`dependencies` is not understood';
        continue;
      }
      const under = appendPointer(appendPointer(pointer, keyword), name);
      if (shape.kind === 'schema-map' && shape.inPlace) this.#link(pointer, under);
      const inner = this.#readSchema(schema, under);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }

  #readAssertion({ keyword, value, pointer }: Entry): string | undefined {
    if (keyword === 'required' && Array.isArray(value)) for (const name of value) this.names.add(name);
    if (typeof value !== 'string') return undefined;
    if (keyword === 'pattern') return this.#readPattern(value);
    if (keyword !== '$ref') return undefined;
    const target = pointerFromRef(value);
    if (target === undefined) return 'a `$ref` does not point into the schema itself';
    this.targets.add(target);
    this.#link(pointer, target);
    return undefined;
  }

  #readPattern(source: string): string | undefined {
    const pattern = compiledPattern(source);
    if (pattern === undefined) return 'a pattern is too large or cannot be matched in linear time';
    // The size of the program, and a fixed cost per pattern.
    this.#patternSize += pattern.size + 50;
    return this.#patternSize > SCHEMA_LIMITS.maxPatternSize ? 'its patterns are too large together' : undefined;
  }

  #link(from: string, to: string): void {
    const links = this.#sameValue.get(from);
    if (links) links.push(to);
    else this.#sameValue.set(from, [to]);
  }

  #findsLoop(): boolean {
    const state = new Map<string, 'open' | 'done'>();
    const visit = (pointer: string): boolean => {
      const visited = state.get(pointer);
      if (visited !== undefined) return visited === 'open';
      state.set(pointer, 'open');
      const loops = (this.#sameValue.get(pointer) ?? []).some(visit);
      state.set(pointer, 'done');
      return loops;
    };
    return [...this.#sameValue.keys()].some(visit);
  }
}

const DRAFT_07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;
const DRAFT_2020 = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** Returns `$schema`; empty if it is absent, which means 2020-12 in MCP. */
function declaredDialect(root: JsonValue): string {
  const declared = isJsonObject(root) ? root.$schema : undefined;
  if (declared === undefined) return '';
  return typeof declared === 'string' ? declared : 'not a string';
}

/** Checks the number of arrays and objects, their depth and the size, before any keyword is read. */
function exceedsBounds(root: JsonValue): string | undefined {
  let nodes = 0;
  let level: JsonValue[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > SCHEMA_LIMITS.maxDepth) return `it nests deeper than ${SCHEMA_LIMITS.maxDepth}`;
    const next: JsonValue[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      nodes += 1;
      for (const child of Object.values(value)) next.push(child);
    }
    if (nodes > SCHEMA_LIMITS.maxNodes) return `it has more than ${SCHEMA_LIMITS.maxNodes} nodes`;
    level = next;
  }
  const bytes = Buffer.byteLength(JSON.stringify(root));
  return bytes > SCHEMA_LIMITS.maxBytes ? `it is larger than ${SCHEMA_LIMITS.maxBytes} bytes` : undefined;
}
