import type { ErrorObject } from 'ajv';

/** One validation error. */
export interface SchemaError {
  /** Position as a JSON Pointer (RFC 6901). A property name that is not in the schema is written `*`. */
  readonly pointer: string;
  readonly keyword: string;
  /** Predicate of a sentence whose subject is the pointer. */
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
  not: 'matches a schema that it must not match',
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
  multipleOf: 'is not a multiple of the required number',
  'false schema': 'is not allowed',
};

/** Converts Ajv's errors. The result contains no part of the value, neither its values nor property names it introduced. */
export function describeErrors(errors: readonly ErrorObject[], names: ReadonlySet<string>): readonly SchemaError[] {
  const described: SchemaError[] = [];
  for (const error of errors) {
    // The errors of the branch are in the list too.
    if (error.keyword === 'if') continue;
    const pointer = redactPointer(errorPointer(error), names);
    const keyword = error.keyword;
    if (described.some((other) => other.pointer === pointer && other.keyword === keyword)) continue;
    described.push({ pointer, keyword, message: errorMessage(keyword) });
    if (described.length === MAX_ERRORS) break;
  }
  return described.length > 0 ? described : [{ pointer: '', keyword: 'if', message: errorMessage('if') }];
}

/** Returns the predicate for a value that fails `keyword`. */
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
