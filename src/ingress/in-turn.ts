import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { FailureMode } from '../domain/posture.ts';

export const pipeliningFailureMode: FailureMode<'connection closed'> = {
  control: 'requests in turn',
  trigger: 'more requests wait on one connection for the answers before theirs than may',
  result: 'connection closed',
  override: null,
};

/** Requests that may wait on one connection for the answers before theirs; who sends more is cut off. */
const MAX_PIPELINED = 64;

/**
 * Serves the requests of one connection one after the other. Node hands them out as they come and keeps what is written
 * until its turn: an answer that has no socket yet never closes when its client goes, and what it holds no limit sees.
 */
export function serializeRequests(handler: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    if (response.socket !== null) {
      handler(request, response);
      return;
    }
    const { socket } = request;
    const waitingCount = waiting.get(socket) ?? 0;
    if (waitingCount >= MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    waiting.set(socket, waitingCount + 1);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // Node is not done with handing the socket over.
      process.nextTick(() => {
        if (!response.destroyed) handler(request, response);
      });
    });
  };
}
