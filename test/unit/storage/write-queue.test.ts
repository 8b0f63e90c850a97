import { expect, test } from 'vitest';
import { statementsOf, WriteQueue, withoutStatement } from '../../../src/storage/write-queue.ts';

const statement = (sql: string) => ({ sql, params: [] });
const writing = (...sql: readonly string[]) => ({
  statements: sql.map(statement),
  resolve: () => {},
  reject: () => {},
});

test('states are written before the writes of their batch', () => {
  const queue = new WriteQueue(10);
  queue.push(writing('w1', 'w2'), 0);
  queue.put('k', statement('p'));
  expect(statementsOf(queue.take()).map(({ sql }) => sql)).toEqual(['p', 'w1', 'w2']);
});

test('requeued states do not replace newer ones', () => {
  const queue = new WriteQueue(10);
  queue.put('a', statement('a old'));
  queue.put('b', statement('b old'));
  const failed = queue.take();
  queue.put('a', statement('a new'));
  queue.requeue(failed.puts);
  expect(statementsOf(queue.take()).map(({ sql }) => sql)).toEqual(['a new', 'b old']);
});

test('statements in flight count towards the limit', () => {
  const queue = new WriteQueue(3);
  expect(queue.push(writing('w1'), 3)).toBe(false);
  expect(queue.push(writing('w1', 'w2'), 1)).toBe(true);
  expect(queue.push(writing('w3'), 1)).toBe(false);
});

test('the write of a failed statement is removed, and the others stay', () => {
  const [one, two] = [writing('w1', 'w2'), writing('w3')];
  const batch = { puts: new Map([['k', statement('p')]]), writes: [one, two] };
  const { rest, failed } = withoutStatement(batch, 2);
  expect(failed).toBe(one);
  expect(statementsOf(rest).map(({ sql }) => sql)).toEqual(['p', 'w3']);
});

test('a failed put is removed alone', () => {
  const one = writing('w1');
  const { rest, failed } = withoutStatement({ puts: new Map([['k', statement('p')]]), writes: [one] }, 0);
  expect(failed).toBeUndefined();
  expect(statementsOf(rest).map(({ sql }) => sql)).toEqual(['w1']);
});
