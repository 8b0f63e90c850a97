import { expect, test } from 'vitest';
import { LruMap } from '../../../src/lib/lru.ts';

test('the entry used least recently is forgotten first', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
});

test('setting a key again replaces its value and takes no room', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('a', 2);
  map.set('b', 3);
  expect([map.get('a'), map.size]).toEqual([2, 2]);
});

test('entries are forgotten by what they weigh together, and one that is too heavy at once', () => {
  const map = new LruMap<string, string>(5, (value) => value.length);
  map.set('a', 'xx');
  map.set('b', 'xx');
  map.set('c', 'xxx');
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, 'xx', 'xxx']);
  map.set('b', 'x');
  map.set('d', 'x');
  expect([map.get('b'), map.get('c'), map.get('d')]).toEqual(['x', 'xxx', 'x']);
  map.set('e', 'xxxxxx');
  expect([map.size, map.get('e')]).toEqual([0, undefined]);
  map.set('f', 'xxxxx');
  expect(map.get('f')).toBe('xxxxx');
});
