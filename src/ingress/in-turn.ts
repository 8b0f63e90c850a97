import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { PostureRow } from '../domain/posture.ts';

export const inTurnPosture: PostureRow<'connection closed'> = {
  guard: 'requests in turn',
  when: 'more requests wait on one connection for the answers before theirs than may',
  yields: 'connection closed',
  opens: null,
};

/** Requests that may wait on one connection for the answers before theirs; who sends more is cut off. */
const MAX_WAITING = 64;

/**
 * Serves the requests of one connection one after the other. Node hands them out as they come and keeps what is written
 * until its turn: an answer that has no socket yet never closes when its client goes, and what it holds no limit sees.
 */
export function inTurn(serve: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    if (response.socket !== null) {
      serve(request, response);
      return;
    }
    const { socket } = request;
    const before = waiting.get(socket) ?? 0;
    if (before >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    waiting.set(socket, before + 1);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // Node is not done with handing the socket over.
      process.nextTick(() => {
        if (!response.destroyed) serve(request, response);
      });
    });
  };
}
