import type { IncomingMessage } from 'node:http';
import { ByteBuffer } from '../lib/pieces.ts';

/** A body over the cap is thrown away up to this many times the cap, so that the client can read why, and then cut off. */
const DISCARD_FACTOR = 16;

export type ReadBodyResult = Buffer | 'too-large' | 'gone';

/** Reads the body of a request, at most `maxBytes` of it. Resolves with `gone` when the client went away first. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBodyResult> {
  return new Promise((resolve) => {
    const body = new ByteBuffer();
    let size = 0;
    let isSettled = false;
    // A promise that is resolved again costs a call into the engine, and every request closes.
    const settle = (result: ReadBodyResult): void => {
      if (!isSettled) resolve(result);
      isSettled = true;
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        body.take();
        if (size > maxBytes * DISCARD_FACTOR) settle('too-large');
        return;
      }
      body.push(chunk);
    });
    request.on('end', () => {
      if (size > maxBytes) settle('too-large');
      else settle(body.take());
    });
    request.on('close', () => settle('gone'));
    request.on('error', () => settle('gone'));
  });
}
