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
    let buffered: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      const end = buffered.indexOf(NEWLINE);
      if (end > maxBytes || (end < 0 && buffered.length > maxBytes)) finish(undefined);
      else if (end >= 0) finish(buffered.subarray(0, end), buffered.subarray(end + 1));
    };
    const abandon = (): void => finish(undefined);
    const timer = setTimeout(abandon, timeoutMs);
    const finish = (line: Buffer | undefined, rest?: Buffer): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', abandon).off('close', abandon).pause();
      if (rest && rest.length > 0) socket.unshift(rest);
      resolve(line);
    };
    socket.on('data', onData).on('end', abandon).on('close', abandon);
  });
}
