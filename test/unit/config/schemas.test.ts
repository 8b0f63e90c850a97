import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemaFiles } from '../../../src/onboarding/import/plan-home.ts';

test.each([...schemaFiles()])('%s is what the settings generate (`npm run schemas`)', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('every setting of a server and an agent says what it is', () => {
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
