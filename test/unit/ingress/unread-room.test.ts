import { expect, test } from 'vitest';
import { UnreadRoom } from '../../../src/ingress/mcp/unread-room.ts';

const KB = 1_024;

test('calls whose agents do not read fill the room together, and a call that waits for little is never refused for them', () => {
  const room = new UnreadRoom(1_000 * KB);
  const [one, other, third] = [room.enter(), room.enter(), room.enter()];
  expect(one.hasRoom(600 * KB)).toBe(true);
  expect(other.hasRoom(400 * KB)).toBe(true);
  expect(third.hasRoom(64 * KB)).toBe(true);
  expect(third.hasRoom(65 * KB)).toBe(false);
});

test('what is read, and what waits when a call ends, makes room again', () => {
  const room = new UnreadRoom(1_000 * KB);
  const [one, other] = [room.enter(), room.enter()];
  expect(one.hasRoom(900 * KB)).toBe(true);
  expect(other.hasRoom(200 * KB)).toBe(false);
  expect(one.hasRoom(100 * KB)).toBe(true);
  expect(other.hasRoom(200 * KB)).toBe(true);
  expect(other.hasRoom(950 * KB)).toBe(false);
  one.leave();
  one.leave();
  expect(other.hasRoom(950 * KB)).toBe(true);
});
