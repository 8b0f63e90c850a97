import { paramHeadersOf, paramHeaderValue } from '../../domain/mcp/param-headers.ts';
import type { ToolTarget } from '../../domain/target.ts';
import type { JsonObject } from '../../lib/json/json.ts';

const NONE: Readonly<Record<string, string>> = {};

/** Returns the `Mcp-Param-…` header fields of one tool call. */
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

const SENTINEL = /^=\?base64\?.*\?=$/;
const PLAIN = /^[\t\x20-\x7e]+$/;

/**
 * Encodes a text as an HTTP field value: unchanged if it is plain ASCII, else `=?base64?…?=` of its UTF-8 bytes
 * (streamable HTTP 2026-07-28, "Value encoding").
 */
export function encodeHeaderValue(text: string): string {
  if (PLAIN.test(text) && text === text.trim() && !SENTINEL.test(text)) return text;
  return `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}
