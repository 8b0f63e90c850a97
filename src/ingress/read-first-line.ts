import type { Socket } from 'node:net';

const NEWLINE = 0x0a;

/**
 * Reads the first line of a connection and leaves what follows it to be read, the socket paused. Resolves with
 * undefined when the line is longer than `maxBytes`, when it is not there in `timeoutMs`, or when the connection ends.
 */
export function readFirstLine(
  socket: Socket,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = held.indexOf(NEWLINE);
      if (end > maxBytes || (end < 0 && held.length > maxBytes)) finish(undefined);
      else if (end >= 0) finish(held.subarray(0, end), held.subarray(end + 1));
    };
    const giveUp = (): void => finish(undefined);
    const timer = setTimeout(giveUp, timeoutMs);
    const finish = (line: Buffer | undefined, rest?: Buffer): void => {
      clearTimeout(timer);
      socket.off('data', take).off('end', giveUp).off('close', giveUp).pause();
      if (rest && rest.length > 0) socket.unshift(rest);
      resolve(line);
    };
    socket.on('data', take).on('end', giveUp).on('close', giveUp);
  });
}
