const SENTINEL = /^=\?base64\?.*\?=$/;
const PLAIN = /^[\t\x20-\x7e]+$/;

/**
 * A text as an HTTP field value: as it is where it is plain ASCII, else as `=?base64?…?=` of its UTF-8 bytes
 * (streamable HTTP 2026-07-28, "Value encoding").
 */
export function encodeHeaderValue(text: string): string {
  if (PLAIN.test(text) && text === text.trim() && !SENTINEL.test(text)) return text;
  return `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}
