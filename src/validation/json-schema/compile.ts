import { createRequire } from 'node:module';
import type { Ajv2020 as AjvClass } from 'ajv/dist/2020.js';
import { type Digest, digestOfJson } from '../../lib/digest.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { LruMap } from '../../lib/lru.ts';
import { ajvKeywords, FuelBudget, FuelExhausted, linearEngine } from './ajv-keywords.ts';
import { type ReadSchema, readSchema } from './read-schema.ts';
import { describeErrors, type SchemaError } from './schema-error.ts';
import { translateSchema } from './translate.ts';

/** A schema ready to judge. */
export interface CompiledSchema {
  /** Digest of the schema as it was declared. */
  readonly digest: Digest;
  /** What is wrong with `value`, at most five errors, none of which holds any part of it; empty when it is valid. */
  validate(value: JsonValue): readonly SchemaError[];
}

const VALID: readonly SchemaError[] = [];
const TOO_COMPLEX: readonly SchemaError[] = [{ pointer: '', keyword: 'fuel', message: 'is too complex to check' }];

/** Compiles admitted schemas, once per content, and remembers which object was which. */
export class SchemaCompiler {
  readonly #byDigest: LruMap<Digest, CompiledSchema>;
  readonly #byObject = new WeakMap<JsonObject, CompiledSchema>();

  constructor(options: { readonly capacity?: number } = {}) {
    this.#byDigest = new LruMap(options.capacity ?? 1_000);
  }

  /**
   * The compiled form of a schema that was admitted; the first call costs about a millisecond, the next a look-up.
   * @throws TypeError when the schema is not one that admission lets in.
   */
  compile(schema: JsonObject): CompiledSchema {
    const cached = this.#byObject.get(schema);
    if (cached) return cached;
    const digest = digestOfJson(schema);
    let compiled = this.#byDigest.get(digest);
    if (!compiled) {
      const reading = readSchema(schema);
      if (!reading.admitted) throw new TypeError(`a schema that is not admitted cannot be compiled: ${reading.reason}`);
      compiled = compileReadSchema(reading.schema, digest);
      this.#byDigest.set(digest, compiled);
    }
    this.#byObject.set(schema, compiled);
    return compiled;
  }
}

// Ajv's types are those of a CommonJS default export; its class comes by name.
const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as { Ajv2020: typeof AjvClass };

/** Compiles what was read. Exported for the suite of the standard, whose schemas need not describe tools. */
export function compileReadSchema(schema: ReadSchema, digest: Digest): CompiledSchema {
  const fuel = new FuelBudget();
  // One Ajv per schema: an instance keeps everything that it ever compiled.
  const ajv = new Ajv2020({
    strict: false,
    // Reading has checked the schema; the meta-schemas would cost more than the schema itself.
    validateSchema: false,
    meta: false,
    addUsedSchema: false,
    // JSON Schema 2020-12 §7: `format` is an annotation unless a vocabulary says otherwise.
    validateFormats: false,
    inlineRefs: false,
    ownProperties: true,
    messages: false,
    logger: false,
    // Optimising costs more than the optimised code saves.
    code: { regExp: linearEngine(fuel), optimize: false },
  });
  // Without these, code is smaller and `anyOf` ends at the first alternative that matches.
  ajv.opts.dynamicRef = false;
  ajv.opts.unevaluated = schema.keywords.has('unevaluatedProperties');
  ajv
    .removeKeyword('enum')
    .removeKeyword('uniqueItems')
    .addVocabulary([...ajvKeywords(fuel)]);
  const check = ajv.compile(translateSchema(schema));
  return {
    digest,
    validate(value) {
      fuel.reset();
      try {
        return check(value) ? VALID : describeErrors(check.errors ?? [], schema.names);
      } catch (error) {
        if (error instanceof FuelExhausted) return TOO_COMPLEX;
        throw error;
      }
    },
  };
}
