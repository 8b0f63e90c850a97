import { createRequire } from 'node:module';
import type { Ajv2020 as AjvClass } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import { type Digest, digestOfJson } from '../../lib/digest.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { ajvKeywords, FuelBudget, FuelExhausted, linearEngine } from './ajv-keywords.ts';
import { type ReadSchema, readSchema } from './read-schema.ts';
import { describeErrors, type SchemaError } from './schema-error.ts';
import { translateSchema } from './translate.ts';

/** A schema that is ready to validate values. */
export interface CompiledSchema {
  /** Digest of the schema as it was declared. */
  readonly digest: Digest;
  /** Returns at most five errors, without any part of the value; none if it is valid. */
  validate(value: JsonValue): readonly SchemaError[];
}

const VALID: readonly SchemaError[] = [];
const TOO_COMPLEX: readonly SchemaError[] = [{ pointer: '', keyword: 'fuel', message: 'is too complex to check' }];

/** Compiles admitted schemas, once per content, and caches the result by object and by digest. */
export class SchemaCompiler {
  readonly #byDigest: LRUCache<Digest, CompiledSchema>;
  readonly #byObject = new WeakMap<JsonObject, CompiledSchema>();

  constructor(options: { readonly capacity?: number } = {}) {
    this.#byDigest = new LRUCache({ max: options.capacity ?? 1_000 });
  }

  /**
   * Compiles an admitted schema. The first call costs about a millisecond, later calls a look-up.
   * @throws TypeError if the schema is not admitted.
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

/** Compiles a schema that was read. Exported for the official test suite, whose schemas do not describe tools. */
export function compileReadSchema(schema: ReadSchema, digest: Digest): CompiledSchema {
  const fuel = new FuelBudget();
  // One Ajv per schema: an instance keeps everything it compiles.
  const ajv = new Ajv2020({
    strict: false,
    // `readSchema` has checked the schema; the meta-schemas would cost more than the schema itself.
    validateSchema: false,
    meta: false,
    addUsedSchema: false,
    // JSON Schema 2020-12 §7: `format` is an annotation unless a vocabulary says otherwise.
    validateFormats: false,
    inlineRefs: false,
    ownProperties: true,
    messages: false,
    logger: false,
    // Optimizing costs more than the optimized code saves.
    code: { regExp: linearEngine(fuel), optimize: false },
  });
  // Without these, the code is smaller and `anyOf` stops at the first alternative that matches.
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
