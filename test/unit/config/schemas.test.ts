import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemaFiles } from '../../../src/onboarding/import/plan-home.ts';

test.each([...schemaFiles()])('%s equals the generated schema (`npm run schemas`)', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('every setting of a server and of an agent has a description', () => {
  const silent: string[] = [];
  for (const name of ['server', 'agent']) {
    const text = schemaFiles().get(`registry/schema/${name}.schema.json`) ?? '';
    JSON.parse(text, (key: string, value: unknown) => {
      if (key === 'properties' && typeof value === 'object' && value !== null) {
        for (const [field, schema] of Object.entries(value))
          if (!('description' in schema)) silent.push(`${name}: ${field}`);
      }
      return value;
    });
  }
  expect(silent).toEqual([]);
});
