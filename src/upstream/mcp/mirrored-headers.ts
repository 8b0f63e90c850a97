import { paramHeadersOf, paramHeaderValue } from '../../domain/mirrored-arguments.ts';
import type { ToolTarget } from '../../domain/target.ts';
import type { JsonObject } from '../../lib/json.ts';
import { encodeHeaderValue } from './header-value.ts';

const NONE: Readonly<Record<string, string>> = {};

/** The `Mcp-Param-…` fields of one call of a tool. */
export function paramHeaders(target: ToolTarget, args: JsonObject): Readonly<Record<string, string>> {
  const params = paramHeadersOf(target);
  if (params.length === 0) return NONE;
  const headers: Record<string, string> = {};
  for (const { header, path } of params) {
    const text = paramHeaderValue(args, path);
    if (text !== undefined) headers[header] = encodeHeaderValue(text);
  }
  return headers;
}
