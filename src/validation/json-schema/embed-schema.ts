import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { KEYWORDS_2020, KEYWORDS_DRAFT_07 } from './keywords.ts';

/**
 * An admitted schema as it reads within a larger one, at `place` (a JSON Pointer): a `$ref` of it, `#` or `#/…`, still
 * points at what it pointed at. A schema with an `$id` is a document of its own wherever it stands (JSON Schema
 * 2020-12, core §8.2.1), and stays as it is.
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

/** What a keyword holds. In `const`, `enum` and annotations a `$ref` is a member of a value and points at nothing. */
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
