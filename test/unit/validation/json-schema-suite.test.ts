import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import { compileReadSchema } from '../../../src/validation/json-schema/compile.ts';
import { readSchema } from '../../../src/validation/json-schema/read-schema.ts';
import { corpus, corpusFiles } from '../../fixtures/corpora/corpora.ts';

interface Group {
  readonly description: string;
  readonly schema: JsonValue;
  readonly tests: readonly { readonly description: string; readonly data: JsonValue; readonly valid: boolean }[];
}

const suite = corpus('json-schema-test-suite');

/** Runs every case of a folder: the number of right verdicts, the wrong ones, and the refused schemas by reason. */
function runFolder(folder: string, dialect?: string) {
  const wrong: string[] = [];
  const refused: Record<string, number> = {};
  let right = 0;
  for (const { name, bytes } of corpusFiles(join(suite.folder, 'tests', folder))) {
    for (const group of JSON.parse(bytes.toString('utf8')) as readonly Group[]) {
      const schema = dialect && isJsonObject(group.schema) ? { ...group.schema, $schema: dialect } : group.schema;
      const reading = readSchema(schema);
      if (!reading.admitted) {
        refused[reading.reason] = (refused[reading.reason] ?? 0) + 1;
        continue;
      }
      const compiled = compileReadSchema(reading.schema, 'sha256:00');
      for (const { description, data, valid } of group.tests) {
        if ((compiled.validate(data).length === 0) === valid) right += 1;
        else wrong.push(`${name}: ${group.description}: ${description}`);
      }
    }
  }
  return { right, wrong, refused };
}

describe.skipIf(suite.absent)('JSON-Schema-Test-Suite, required cases', () => {
  test('2020-12: no admitted schema gives a wrong verdict', () => {
    expect(runFolder('draft2020-12')).toEqual({
      right: 1_081,
      wrong: [],
      refused: {
        'a `$ref` does not point into the schema itself': 45,
        'an inner `$id` is not supported': 7,
        'dynamic references are not supported': 7,
        'its `$schema` is neither 2020-12 nor draft-07': 2,
        'a property is named `__proto__`': 1,
        '`unevaluatedItems` is not supported': 28,
        '`unevaluatedProperties` together with `if` is not supported': 4,
      },
    });
  });

  test('draft-07: no admitted schema gives a wrong verdict', () => {
    expect(runFolder('draft7', 'http://json-schema.org/draft-07/schema#')).toEqual({
      right: 861,
      wrong: [],
      refused: {
        'a `$ref` does not point into the schema itself': 20,
        'an inner `$id` is not supported': 8,
        'a property is named `__proto__`': 1,
      },
    });
  });
});
