import type { Socket } from 'node:net';
import type { Problem } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';

/** First line that a client sends on the daemon's socket: the agent that it connects, or one admin request. */
export type HandshakeRequest =
  | { readonly kind: 'agent'; readonly agent: string; readonly server?: string | undefined }
  | { readonly kind: 'admin'; readonly method: string; readonly params: JsonObject };

/** Response of the daemon to a handshake, as one line of JSON. */
export type HandshakeResponse =
  | { readonly ok: true; readonly result: JsonValue }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Maximum size of a handshake in bytes. */
export const MAX_HANDSHAKE_BYTES = 65_536;
const VERSION = 1;

/**
 * Parses `{"seneschal":1,"agent":"demo"}` with an optional `server`, or
 * `{"seneschal":1,"admin":{"method":"keys.create","params":{…}}}`.
 * @returns undefined for anything else.
 */
export function parseHandshake(line: Uint8Array): HandshakeRequest | undefined {
  const parsed = parseStrictJson(line, { maxBytes: MAX_HANDSHAKE_BYTES, maxDepth: 32 });
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { seneschal, agent, server, admin, ...unknownMembers } = parsed.value;
  if (seneschal !== VERSION || Object.keys(unknownMembers).length > 0) return undefined;
  if (typeof agent === 'string' && admin === undefined) {
    if (server === undefined) return { kind: 'agent', agent };
    return typeof server === 'string' ? { kind: 'agent', agent, server } : undefined;
  }
  if (agent !== undefined || server !== undefined || !isJsonObject(admin)) return undefined;
  const { method, params = {} } = admin;
  return typeof method === 'string' && isJsonObject(params) ? { kind: 'admin', method, params } : undefined;
}

/** Formats a handshake as a line. */
export function formatHandshake(request: HandshakeRequest): string {
  const { kind, ...body } = request;
  return `${JSON.stringify({ seneschal: VERSION, ...(kind === 'admin' ? { admin: body } : body) })}\n`;
}

const NEWLINE = 0x0a;

/**
 * Reads the first line of a connection. The rest stays unread and the socket paused. Resolves with undefined if the line
 * is longer than `maxBytes`, does not arrive within `timeoutMs`, or the connection ends.
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
