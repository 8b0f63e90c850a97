import type { IncomingHttpHeaders } from 'node:http';
import type { FailureMode } from '../../../domain/failure-mode.ts';
import { type ParamHeader, paramHeaderValue } from '../../../domain/mcp/param-headers.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json/json.ts';
import type { RpcProblem } from './json-rpc.ts';
import { HEADER_MISMATCH } from './json-rpc.ts';
import { decodeHeaderValue } from './request-headers.ts';

export const paramHeadersFailureMode: FailureMode<'HTTP 400'> = {
  control: 'mirrored arguments',
  trigger: 'a header `Mcp-Param-…` that a tool asks for is missing, or says otherwise than the argument',
  result: 'HTTP 400',
  override: null,
};

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * Compares the `Mcp-Param-…` headers of a call with its arguments (streamable HTTP 2026-07-28, "Server validation"). A
 * header without an argument is nothing: it is never read, and never passed on.
 * @returns undefined when all is well.
 */
export function checkParamHeaders(
  paramHeaders: readonly ParamHeader[],
  params: JsonObject,
  headers: IncomingHttpHeaders,
): RpcProblem | undefined {
  const args = isJsonObject(params.arguments) ? params.arguments : {};
  for (const { header, path, type } of paramHeaders) {
    const expected = paramHeaderValue(args, path);
    if (expected === undefined) continue;
    const headerValue = headers[header];
    if (typeof headerValue !== 'string') return rejection('a header that the tool asks for is missing');
    const decoded = decodeHeaderValue(headerValue);
    if (decoded === undefined) return rejection('a header `Mcp-Param-…` is not valid base64 of UTF-8');
    const isSame =
      decoded === expected || (type === 'integer' && DECIMAL.test(decoded) && Number(decoded) === Number(expected));
    if (!isSame) return rejection('a header `Mcp-Param-…` and the body disagree');
  }
  return undefined;
}

function rejection(problem: string): RpcProblem {
  return { code: HEADER_MISMATCH, problem };
}
