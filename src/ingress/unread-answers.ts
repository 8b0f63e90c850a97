import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Ends connections whose client reads nothing of an answer for `unreadMs`. Looks once in a while, since a timer for
 * each answer costs a tenth of what a call does; whether anything was read Node's own timer finds out.
 * Returns what is to be told of each answer that begins.
 */
export function endUnreadAnswers(server: Server, unreadMs: number): (socket: Socket, answer: ServerResponse) => void {
  const answers = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket: Socket) => {
    answers.set(socket, undefined);
    socket.once('close', () => answers.delete(socket));
  });
  const looking = setInterval(() => {
    for (const [socket, answer] of answers) {
      if (answer?.writableEnded !== true) continue;
      answers.set(socket, undefined);
      // Node sets the time of an idle connection once it was read.
      if (!answer.writableFinished) socket.setTimeout(unreadMs);
    }
  }, unreadMs / 2);
  looking.unref();
  server.once('close', () => clearInterval(looking));
  return (socket, answer) => void answers.set(socket, answer);
}
