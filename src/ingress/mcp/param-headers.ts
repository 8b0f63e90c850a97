import type { IncomingHttpHeaders } from 'node:http';
import { type MirroredArgument, mirroredText } from '../../domain/mirrored-arguments.ts';
import type { PostureRow } from '../../domain/posture.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RpcProblem } from './envelope.ts';
import { decodeHeaderText } from './modern-envelope.ts';
import { HEADER_MISMATCH } from './rpc-error.ts';

export const paramHeadersPosture: PostureRow<'HTTP 400'> = {
  guard: 'mirrored arguments',
  when: 'a header `Mcp-Param-…` that a tool asks for is missing, or says otherwise than the argument',
  yields: 'HTTP 400',
  opens: null,
};

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * Compares the `Mcp-Param-…` headers of a call with its arguments (streamable HTTP 2026-07-28, "Server validation"). A
 * header without an argument is nothing: it is never read, and never passed on.
 * @returns undefined when all is well.
 */
export function checkParamHeaders(
  mirrored: readonly MirroredArgument[],
  params: JsonObject,
  headers: IncomingHttpHeaders,
): RpcProblem | undefined {
  const args = isJsonObject(params.arguments) ? params.arguments : {};
  for (const { header, path, type } of mirrored) {
    const text = mirroredText(args, path);
    if (text === undefined) continue;
    const sent = headers[header];
    if (typeof sent !== 'string') return refuse('a header that the tool asks for is missing');
    const decoded = decodeHeaderText(sent);
    if (decoded === undefined) return refuse('a header `Mcp-Param-…` is not valid base64 of UTF-8');
    const isSame =
      decoded === text || (type === 'integer' && DECIMAL.test(decoded) && Number(decoded) === Number(text));
    if (!isSame) return refuse('a header `Mcp-Param-…` and the body disagree');
  }
  return undefined;
}

function refuse(problem: string): RpcProblem {
  return { code: HEADER_MISMATCH, problem };
}
