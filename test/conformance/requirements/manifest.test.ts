import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_REQUIREMENTS } from './agent-requirements.ts';
import { AGENT_STREAM_REQUIREMENTS } from './agent-stream-requirements.ts';
import { CHOSEN_DIFFERENCES } from './chosen-differences.ts';
import type { Requirement } from './requirement.ts';
import { SERVER_REQUIREMENTS } from './server-requirements.ts';

const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  ...AGENT_REQUIREMENTS,
  ...AGENT_STREAM_REQUIREMENTS,
  ...SERVER_REQUIREMENTS,
};
const tests = ['agent', 'server']
  .flatMap((face) => readdirSync(join(import.meta.dirname, '..', face)).map((file) => `${face}/${file}`))
  .map((name) => ({ name, text: withoutComments(readFileSync(join(import.meta.dirname, '..', name), 'utf8')) }));
const verified = new Set(
  tests.flatMap(({ text }) => [...text.matchAll(/\bverifies\(\s*'([^']+)'/g)].map(([, id = '']) => id)),
);

/** The code alone: what a comment says verifies nothing. A text that only looks like a comment stays. */
function withoutComments(source: string): string {
  const textOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return source.replaceAll(textOrComment, (found) => (found.startsWith('/') ? '' : found));
}

test('a requirement that only a comment names has no test', () => {
  const source = `// verifies('a'\n/* verifies('b' */\nverifies('c', () => 'https://d // e');\n`;
  expect(withoutComments(source)).toBe("\n\nverifies('c', () => 'https://d // e');\n");
});

test('every requirement has a test', () => {
  expect(Object.keys(REQUIREMENTS).filter((id) => !verified.has(id))).toEqual([]);
});

test('every test is that of a requirement', () => {
  expect([...verified].filter((id) => !Object.hasOwn(REQUIREMENTS, id))).toEqual([]);
  const others = tests.flatMap(({ name, text }) =>
    [...text.matchAll(/^ *(?:test|it)(?:\.\w+)*\(|\bverifies\(\s*[^'\s]/gm)].map(([call]) => `${name}: ${call}`),
  );
  expect(others).toEqual([]);
});

test('every requirement names its face, a place in the specification, and what it is in one sentence', () => {
  for (const [id, { source, says }] of Object.entries(REQUIREMENTS)) {
    expect(id).toMatch(/^(?:agents|servers)(?:\.[a-z0-9-]+)+$/);
    expect(source).toMatch(/^(?:2025-11-25|2026-07-28)\/[\w/-]+(?:#[\w-]+)?$/);
    expect(says).toMatch(/^(?!.*\. )\S.{10,}[^.\s]$/);
  }
  const sentences = Object.values(REQUIREMENTS).map(({ says }) => says);
  expect(new Set(sentences).size).toBe(sentences.length);
});

test('every chosen difference names a place in the specification and a test that there is', () => {
  for (const { source, shownBy } of CHOSEN_DIFFERENCES) {
    expect(source).toMatch(/^(?:2025-11-25|2026-07-28)\/[\w/-]+(?:#[\w-]+)?$/);
    expect(existsSync(join(import.meta.dirname, '../../..', shownBy))).toBe(true);
  }
});
