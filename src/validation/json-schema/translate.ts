import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { costOf, REFERENCE_COST } from './cost.ts';
import { KEYWORDS_2020, KEYWORDS_DRAFT_07, type KeywordShape } from './keywords.ts';
import { appendPointer, pointerFromRef, type ReadSchema } from './read-schema.ts';

type Draft = Record<string, JsonValue>;

/**
 * Translates a schema that was read into JSON Schema 2020-12 for the compiler: enforced keywords only, each `$ref` target
 * once and under a generated name, and the keyword `fuel` for each schema with a cost.
 */
export function translateSchema(schema: ReadSchema): JsonObject {
  return new Translator(schema).run();
}

class Translator {
  readonly #schema: ReadSchema;
  readonly #keywords: ReadonlyMap<string, KeywordShape>;
  readonly #nameOfTarget = new Map<string, string>();

  constructor(schema: ReadSchema) {
    this.#schema = schema;
    this.#keywords = schema.dialect === 'draft-07' ? KEYWORDS_DRAFT_07 : KEYWORDS_2020;
    for (const target of schema.targets) this.#nameOfTarget.set(target, `d${this.#nameOfTarget.size}`);
  }

  run(): JsonObject {
    const definitions: Draft = {};
    for (const [target, name] of this.#nameOfTarget) {
      definitions[name] = this.#body(this.#schema.pointers.get(target) ?? false, target);
    }
    return { allOf: [this.#subschema(this.#schema.root, '')], $defs: definitions };
  }

  #subschema(schema: JsonValue, pointer: string): JsonValue {
    const name = this.#nameOfTarget.get(pointer);
    return name === undefined ? this.#body(schema, pointer) : { $ref: `#/$defs/${name}` };
  }

  #body(schema: JsonValue, pointer: string): JsonValue {
    if (!isJsonObject(schema)) return schema;
    if (this.#schema.dialect === 'draft-07' && schema.$ref !== undefined)
      return { $ref: this.#nameOf(schema.$ref), fuel: REFERENCE_COST };
    const out: Draft = {};
    for (const keyword of Object.keys(schema)) {
      const shape = this.#keywords.get(keyword);
      const value = schema[keyword];
      if (shape === undefined || value === undefined || shape.kind === 'definitions') continue;
      out[keyword] = this.#value({ keyword, shape, value, pointer: appendPointer(pointer, keyword) });
    }
    if (this.#schema.dialect === 'draft-07') upgradeDraft(out);
    const cost = costOf(out);
    if (cost !== undefined) out.fuel = cost;
    return out;
  }

  #nameOf(ref: JsonValue): string {
    const target = typeof ref === 'string' ? pointerFromRef(ref) : undefined;
    return `#/$defs/${this.#nameOfTarget.get(target ?? '') ?? ''}`;
  }

  #value(entry: { keyword: string; shape: KeywordShape; value: JsonValue; pointer: string }): JsonValue {
    const { keyword, shape, value, pointer } = entry;
    if (keyword === '$ref') return this.#nameOf(value);
    if (shape.kind === 'assertion' || shape.kind === 'refused') return value;
    if (shape.kind === 'schema' && !Array.isArray(value)) return this.#subschema(value, pointer);
    if (Array.isArray(value))
      return value.map((schema, index) => this.#subschema(schema, appendPointer(pointer, index)));
    const map: Draft = {};
    for (const [name, schema] of Object.entries(value ?? {})) {
      const isList = keyword === 'dependencies' && Array.isArray(schema);
      map[name] = isList ? schema : this.#subschema(schema, appendPointer(pointer, name));
    }
    return map;
  }
}

/** Draft-07 keywords that 2020-12 renamed or split. */
function upgradeDraft(out: Draft): void {
  const { items, additionalItems, dependencies } = out;
  delete out.additionalItems;
  delete out.dependencies;
  if (Array.isArray(items)) {
    delete out.items;
    if (items.length > 0) out.prefixItems = items;
    if (additionalItems !== undefined) out.items = additionalItems;
  }
  if (!isJsonObject(dependencies)) return;
  const required: Draft = {};
  const schemas: Draft = {};
  for (const [name, dependency] of Object.entries(dependencies)) {
    if (Array.isArray(dependency)) required[name] = dependency;
    else schemas[name] = dependency;
  }
  out.dependentRequired = required;
  out.dependentSchemas = schemas;
}

/**
 * Rewrites an admitted schema for use within a larger one, at `pointer`, so that each `$ref`, `#` or `#/…`, keeps its
 * target. A schema with an `$id` is a document of its own (JSON Schema 2020-12, core §8.2.1) and stays unchanged.
 */
export function embedSchema(schema: JsonObject, pointer: string): JsonObject {
  return schema.$id === undefined ? rebase(schema, pointer) : schema;
}

function rebase(schema: JsonObject, pointer: string): JsonObject {
  const entries = Object.entries(schema).map(([keyword, value]): [string, JsonValue] => {
    if (keyword === '$ref' && typeof value === 'string' && /^#(?:\/|$)/.test(value)) {
      return [keyword, `#${pointer}${value.slice(1)}`];
    }
    return [keyword, rebaseValue(keyword, value, pointer)];
  });
  return Object.fromEntries(entries);
}

/** Rewrites a keyword's value. In `const`, `enum` and annotations, `$ref` is a member of a value and not a reference. */
function rebaseValue(keyword: string, value: JsonValue, pointer: string): JsonValue {
  const shape = KEYWORDS_2020.get(keyword) ?? KEYWORDS_DRAFT_07.get(keyword);
  const each = (schema: JsonValue): JsonValue => (isJsonObject(schema) ? rebase(schema, pointer) : schema);
  switch (shape?.kind) {
    case 'schema':
    case 'schemas':
      // In draft-07 `items` may be a list.
      return Array.isArray(value) ? value.map(each) : each(value);
    case 'schema-map':
    case 'definitions':
      return isJsonObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, each(schema)]))
        : value;
    default:
      return value;
  }
}
