import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Ends connections whose client reads nothing of an answer for `unreadMs`. Looks once in a while, since a timer for
 * each answer costs a tenth of what a call does; whether anything was read Node's own timer finds out.
 * Returns what is to be told of each answer that begins.
 */
export function closeStalledResponses(
  server: Server,
  stalledMs: number,
): (socket: Socket, response: ServerResponse) => void {
  const responses = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket: Socket) => {
    responses.set(socket, undefined);
    socket.once('close', () => responses.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, response] of responses) {
      if (response?.writableEnded !== true) continue;
      responses.set(socket, undefined);
      // Node sets the time of an idle connection once it was read.
      if (!response.writableFinished) socket.setTimeout(stalledMs);
    }
  }, stalledMs / 2);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return (socket, response) => void responses.set(socket, response);
}
