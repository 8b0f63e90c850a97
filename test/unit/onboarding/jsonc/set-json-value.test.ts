import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendJsonItem, removeJsonValue, setJsonValue } from '../../../../src/onboarding/jsonc/set-json-value.ts';

const PATH = ['mcpServers', 'seneschal'];
const ENTRY = { command: 'x', args: ['a'] };

describe('an entry is added', () => {
  test('after the last one, whose comment stays on its line', () => {
    expect(setJsonValue('{\n  "mcpServers": {\n    "a": {} // keep\n    // end\n  }\n}\n', PATH, ENTRY)).toBe(
      '{\n  "mcpServers": {\n    "a": {}, // keep\n    "seneschal": {\n      "command": "x",\n      "args": [\n        "a"\n      ]\n    }\n    // end\n  }\n}\n',
    );
  });

  test('with a trailing comma if the file has one', () => {
    expect(setJsonValue('{\n  "mcpServers": {\n    "a": {}, // keep\n  },\n}', PATH, 1)).toBe(
      '{\n  "mcpServers": {\n    "a": {}, // keep\n    "seneschal": 1,\n  },\n}',
    );
  });

  test('with the tabs and line endings of the file', () => {
    expect(setJsonValue('{\r\n\t"a": 1\r\n}\r\n', PATH, { b: 2 })).toBe(
      '{\r\n\t"a": 1,\r\n\t"mcpServers": {\r\n\t\t"seneschal": {\r\n\t\t\t"b": 2\r\n\t\t}\r\n\t}\r\n}\r\n',
    );
  });

  test('on the same line if the file has one line', () => {
    expect(setJsonValue('{"mcpServers":{"b":{}}}', PATH, ENTRY)).toBe(
      '{"mcpServers":{"b":{}, "seneschal": {"command":"x","args":["a"]}}}',
    );
    expect(setJsonValue('{"mcpServers":{}}', PATH, 1)).toBe('{"mcpServers":{"seneschal": 1}}');
  });

  test('into an object that has only a comment', () => {
    expect(setJsonValue('{ // empty\n}\n', ['a'], 1)).toBe('{ // empty\n  "a": 1\n}\n');
  });

  test('into a file that is empty or has only comments', () => {
    expect(setJsonValue('', ['a', 'b'], 1)).toBe('{\n  "a": {\n    "b": 1\n  }\n}\n');
    expect(setJsonValue('// mine\n', ['a'], 1)).toBe('// mine\n{\n  "a": 1\n}\n');
  });

  test('in place of the old one', () => {
    expect(setJsonValue('{\n  "a": { "old": true }, // a\n  "b": 2\n}', ['a'], { c: 3 })).toBe(
      '{\n  "a": {\n    "c": 3\n  }, // a\n  "b": 2\n}',
    );
  });
});

describe('an entry is removed', () => {
  test('with its lines, and without the comment above it', () => {
    expect(removeJsonValue('{\n  // above\n  "a": {\n    "x": 1\n  }, // a\n  "b": {}\n}', ['a'])).toBe(
      '{\n  // above\n  "b": {}\n}',
    );
  });

  test('with the comma before it if it is the last', () => {
    expect(removeJsonValue('{\n  "b": {}, // b, the first\n  "a": {} // a\n}', ['a'])).toBe(
      '{\n  "b": {} // b, the first\n}',
    );
    expect(removeJsonValue('{\n  "b": {} /* , */ , // b\n  "a": {}\n}', ['a'])).toBe('{\n  "b": {} /* , */  // b\n}');
  });

  test('from a file of one line', () => {
    expect(removeJsonValue('{"a":{},"b":{}}', ['a'])).toBe('{"b":{}}');
    expect(removeJsonValue('{"a":{}}', ['a'])).toBe('{}');
  });
});

describe('an item is added to a list', () => {
  test('after the last one, whose comment stays on its line', () => {
    expect(appendJsonItem('{\n  "inputs": [\n    { "id": "a" }, // x\n  ]\n}', ['inputs'], { id: 'b' })).toBe(
      '{\n  "inputs": [\n    { "id": "a" }, // x\n    {\n      "id": "b"\n    },\n  ]\n}',
    );
  });

  test('which is created if it is missing', () => {
    expect(appendJsonItem('{\n  "a": 1\n}', ['inputs'], 'b')).toBe('{\n  "a": 1,\n  "inputs": [\n    "b"\n  ]\n}');
  });
});

test('the rest of any file keeps its meaning, in any layout', () => {
  // Normalized by one round trip: JSON has no negative zero.
  const object = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true })
    .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);
  const layout = fc.constantFrom(undefined, 1, 2, 4, '\t');
  fc.assert(
    fc.property(object, object, layout, (rest, servers, indent) => {
      const before = { ...rest, mcpServers: servers };
      const text = setJsonValue(JSON.stringify(before, null, indent), PATH, ENTRY);
      expect(JSON.parse(text)).toEqual({ ...before, mcpServers: { ...servers, seneschal: ENTRY } });
      const { seneschal: _, ...others } = servers;
      expect(JSON.parse(removeJsonValue(text, PATH))).toEqual({ ...before, mcpServers: others });
    }),
  );
});
