import type { ErrorObject } from 'ajv';

/** One thing wrong with a value. */
export interface SchemaError {
  /** Where, as a JSON Pointer (RFC 6901); a property name that the schema does not know is written `*`. */
  readonly pointer: string;
  readonly keyword: string;
  /** What is wrong, to be read after the pointer. */
  readonly message: string;
}

const MAX_ERRORS = 5;

const MESSAGES: Readonly<Record<string, string>> = {
  required: 'is missing',
  type: 'has the wrong type',
  enum: 'is not one of the allowed values',
  const: 'is not the one allowed value',
  additionalProperties: 'has a property that the schema does not name',
  unevaluatedProperties: 'has a property that the schema does not name',
  anyOf: 'matches none of the alternatives',
  oneOf: 'does not match exactly one of the alternatives',
  not: 'matches what it must not',
  pattern: 'does not match its pattern',
  uniqueItems: 'holds an item twice',
  minLength: 'is too short',
  maxLength: 'is too long',
  minItems: 'has too few items',
  maxItems: 'has too many items',
  minimum: 'is too small',
  exclusiveMinimum: 'is too small',
  maximum: 'is too large',
  exclusiveMaximum: 'is too large',
  multipleOf: 'is not a multiple of what it must be',
  'false schema': 'is not allowed',
};

/** Ajv's errors without any part of the value: values are left out, and so are property names that came with it. */
export function describeErrors(errors: readonly ErrorObject[], names: ReadonlySet<string>): readonly SchemaError[] {
  const described: SchemaError[] = [];
  for (const error of errors) {
    // Their own causes stand beside these, or the alternative was not the one that was meant.
    if (error.keyword === 'if') continue;
    const pointer = redactPointer(errorPointer(error), names);
    const keyword = error.keyword;
    if (described.some((other) => other.pointer === pointer && other.keyword === keyword)) continue;
    described.push({ pointer, keyword, message: errorMessage(keyword) });
    if (described.length === MAX_ERRORS) break;
  }
  return described.length > 0 ? described : [{ pointer: '', keyword: 'if', message: errorMessage('if') }];
}

/** What the keyword says of a value that fails it. */
export function errorMessage(keyword: string): string {
  return Object.hasOwn(MESSAGES, keyword) ? (MESSAGES[keyword] ?? '') : `does not satisfy \`${keyword}\``;
}

function errorPointer(error: ErrorObject): string {
  const missing: unknown = error.keyword === 'required' ? error.params.missingProperty : undefined;
  if (typeof missing !== 'string') return error.instancePath;
  return `${error.instancePath}/${missing.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function redactPointer(pointer: string, names: ReadonlySet<string>): string {
  return pointer
    .split('/')
    .map((segment, index) => {
      if (index === 0 || /^\d{1,9}$/.test(segment)) return segment;
      return names.has(segment.replaceAll('~1', '/').replaceAll('~0', '~')) ? segment : '*';
    })
    .join('/');
}
