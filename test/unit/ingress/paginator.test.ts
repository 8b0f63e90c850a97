import { expect, test } from 'vitest';
import type { FeatureList } from '../../../src/broker/broker.ts';
import { type ListPage, Paginator } from '../../../src/ingress/mcp/methods/paginator.ts';

const KEY = Buffer.alloc(32, 7);

function listOf(count: number): FeatureList {
  return { definitions: Array.from({ length: count }, (_, index) => ({ name: `t${index}` })) };
}

function text(page: ListPage | undefined): string {
  return Buffer.from(page?.features ?? []).toString();
}

function names(page: ListPage | undefined): string[] {
  return JSON.parse(text(page)).map((tool: { name: string }) => tool.name);
}

test('2,500 tools fit on one page', () => {
  const page = new Paginator(KEY).page(listOf(2_500), 'agent:demo', undefined);
  expect(names(page)).toHaveLength(2_500);
  expect(page).not.toHaveProperty('nextCursor');
});

test('a page ends once it is large, and has at least one tool', () => {
  const pages = new Paginator(KEY, { pageBytes: 30 });
  // Each is printed with 13 bytes.
  const list = listOf(7);
  const first = pages.page(list, 'agent:demo', undefined);
  const second = pages.page(list, 'agent:demo', first?.nextCursor);
  const third = pages.page(list, 'agent:demo', second?.nextCursor);
  expect([names(first), names(second), names(third)]).toEqual([['t0', 't1', 't2'], ['t3', 't4', 't5'], ['t6']]);
  expect(names(new Paginator(KEY, { pageBytes: 1 }).page(list, 'agent:demo', undefined))).toEqual(['t0']);
});

test('a page is serialized once for all agents with the same list', () => {
  const pages = new Paginator(KEY);
  const list = listOf(3);
  const one = pages.page(list, 'agent:demo', undefined);
  expect(pages.page(list, 'agent:other', undefined)?.features).toBe(one?.features);
});

test('pages beyond the cache limit are serialized again, with the same content', () => {
  const pages = new Paginator(KEY, { cacheBytes: 60 });
  // Each page of three tools is 43 bytes.
  const [one, other] = [listOf(3), listOf(3)];
  const before = pages.page(one, 'agent:demo', undefined);
  expect(pages.page(one, 'agent:demo', undefined)?.features).toBe(before?.features);
  pages.page(other, 'agent:demo', undefined);
  const after = pages.page(one, 'agent:demo', undefined);
  expect(after?.features).not.toBe(before?.features);
  expect(text(after)).toBe('[{"name":"t0"},{"name":"t1"},{"name":"t2"}]');
});

test('the cursors lead to every tool once, in order', () => {
  const pages = new Paginator(KEY, { pageSize: 2 });
  const list = listOf(5);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = pages.page(list, 'agent:demo', cursor);
    seen.push(...names(page));
    cursor = page?.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(['t0', 't1', 't2', 't3', 't4']);
});

test('a cursor is not valid for another principal', () => {
  const pages = new Paginator(KEY, { pageSize: 2 });
  const list = listOf(5);
  const cursor = pages.page(list, 'agent:demo', undefined)?.nextCursor;
  expect(pages.page(list, 'agent:other', cursor)).toBeUndefined();
});

test('a cursor is not valid after the list has changed', () => {
  const pages = new Paginator(KEY, { pageSize: 2 });
  const cursor = pages.page(listOf(5), 'agent:demo', undefined)?.nextCursor;
  expect(pages.page(listOf(5), 'agent:demo', cursor)).toBeUndefined();
});

test('a cursor made with another key is not valid', () => {
  const list = listOf(5);
  const cursor = new Paginator(Buffer.alloc(32, 8), { pageSize: 2 }).page(list, 'agent:demo', undefined)?.nextCursor;
  expect(new Paginator(KEY, { pageSize: 2 }).page(list, 'agent:demo', cursor)).toBeUndefined();
});

test.each(['', 'x', '0', 'A'.repeat(27), 'A'.repeat(10_000)])('the text `%.30s` is not a cursor', (cursor) => {
  expect(new Paginator(KEY, { pageSize: 2 }).page(listOf(5), 'agent:demo', cursor)).toBeUndefined();
});

test('the task support of a tool is removed from lists', () => {
  const list: FeatureList = { definitions: [{ name: 'slow', execution: { taskSupport: 'required' } }] };
  expect(text(new Paginator(KEY).page(list, 'agent:demo', undefined))).toBe('[{"name":"slow"}]');
});
