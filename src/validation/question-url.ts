/** What keeps a URL from being shown. */
export type UrlFault = 'url' | 'url-scheme' | 'url-userinfo';

const MAX_URL_LENGTH = 8_192;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * What is wrong with the URL that a user is asked to open (MCP 2025-11-25, elicitation, "URL mode"). It is sent on as it
 * came and never fetched by us, so that all readers have to read it alike: no spaces, no backslashes, no control characters.
 */
export function checkUrl(text: string): UrlFault | undefined {
  if (text.length > MAX_URL_LENGTH || !/^[\x21-\x5b\x5d-\x7e]+$/.test(toAsciiHost(text)) || !URL.canParse(text))
    return 'url';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname))) return 'url-scheme';
  // `https://bank.example@evil.example` is read as the bank by those who read from the left.
  const authority = /^[a-z]+:\/*([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (username !== '' || password !== '' || authority.includes('@')) return 'url-userinfo';
  return undefined;
}

/** Letters of other scripts may stand in a host and nowhere hide: the message tells of them. */
function toAsciiHost(text: string): string {
  return text.replaceAll(/[\p{L}\p{M}\p{N}]/gu, 'a');
}
