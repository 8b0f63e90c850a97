import { expect, test } from 'vitest';
import type { ToolList } from '../../../src/broker/broker.ts';
import { ToolPages } from '../../../src/ingress/mcp/tool-pages.ts';

const KEY = Buffer.alloc(32, 7);

function listOf(count: number): ToolList {
  return { tools: Array.from({ length: count }, (_, index) => ({ name: `t${index}` })) };
}

function names(toolsJson: string | undefined): string[] {
  return JSON.parse(toolsJson ?? '[]').map((tool: { name: string }) => tool.name);
}

test('a thousand tools come on one page', () => {
  const page = new ToolPages(KEY).page(listOf(1_000), 'agent:demo', undefined);
  expect(names(page?.toolsJson)).toHaveLength(1_000);
  expect(page).not.toHaveProperty('nextCursor');
});

test('following the cursors gives every tool once, in order', () => {
  const pages = new ToolPages(KEY, 2);
  const list = listOf(5);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = pages.page(list, 'agent:demo', cursor);
    seen.push(...names(page?.toolsJson));
    cursor = page?.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(['t0', 't1', 't2', 't3', 't4']);
});

test('a cursor is worth nothing to another principal', () => {
  const pages = new ToolPages(KEY, 2);
  const list = listOf(5);
  const cursor = pages.page(list, 'agent:demo', undefined)?.nextCursor;
  expect(pages.page(list, 'agent:other', cursor)).toBeUndefined();
});

test('a cursor is worth nothing once the list has changed', () => {
  const pages = new ToolPages(KEY, 2);
  const cursor = pages.page(listOf(5), 'agent:demo', undefined)?.nextCursor;
  expect(pages.page(listOf(5), 'agent:demo', cursor)).toBeUndefined();
});

test('a cursor of another key is worth nothing', () => {
  const list = listOf(5);
  const cursor = new ToolPages(Buffer.alloc(32, 8), 2).page(list, 'agent:demo', undefined)?.nextCursor;
  expect(new ToolPages(KEY, 2).page(list, 'agent:demo', cursor)).toBeUndefined();
});

test.each(['', 'x', '0', 'A'.repeat(27), 'A'.repeat(10_000)])('the text `%.30s` is not a cursor', (cursor) => {
  expect(new ToolPages(KEY, 2).page(listOf(5), 'agent:demo', cursor)).toBeUndefined();
});

test('what a tool says of tasks is not shown', () => {
  const list: ToolList = { tools: [{ name: 'slow', execution: { taskSupport: 'required' } }] };
  expect(new ToolPages(KEY).page(list, 'agent:demo', undefined)?.toolsJson).toBe('[{"name":"slow"}]');
});
