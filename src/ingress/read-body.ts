import type { IncomingMessage } from 'node:http';
import { Pieces } from '../lib/pieces.ts';

/** A body over the cap is thrown away up to this many times the cap, so that the client can read why, and then cut off. */
const DISCARD_FACTOR = 16;

export type BodyResult = Buffer | 'too-large' | 'gone';

/** Reads the body of a request, at most `maxBytes` of it. Resolves with `gone` when the client went away first. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<BodyResult> {
  return new Promise((resolve) => {
    const body = new Pieces();
    let size = 0;
    let settled = false;
    // A promise that is resolved again costs a call into the engine, and every request closes.
    const settle = (result: BodyResult): void => {
      if (!settled) resolve(result);
      settled = true;
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
