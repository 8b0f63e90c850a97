/** Longest URI accepted, in characters. */
export const MAX_URI_LENGTH = 2_048;

const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/;
/** Schemes whose authority is a DNS host and so case-insensitive; elsewhere it may be a name of any kind. */
const HOST_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'ftps', 'sftp', 'ssh', 'file']);
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** A path that is still encoded after this many rounds is treated as an attack. */
const MAX_DECODING_ROUNDS = 4;

/**
 * The normal form of a URI (RFC 3986 §6.2.2): scheme and DNS host in lower case, escapes in upper case and only where
 * they are needed, no dot segments. Undefined when the text is not a URI, holds a control character or userinfo, has
 * dot segments in a path without root, or hides dot segments behind escapes or backslashes, which a server that decodes
 * again would follow.
 */
export function normalizeUri(text: string): string | undefined {
  if (text.length > MAX_URI_LENGTH || !URI_CHARACTERS.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const parts = PARTS.exec(normalizeEscapes(text));
  if (parts === null) return undefined;
  const [, scheme = '', authority, path = '', query = '', fragment = ''] = parts;
  // Userinfo holds a secret or disguises the host. Control characters are refused escaped as well.
  if (authority !== undefined && /@|%40/.test(authority)) return undefined;
  if (/%(?:[01][0-9A-F]|7F)/.test(parts[0])) return undefined;
  const normalPath = path.startsWith('/') ? removeDotSegments(path) : path;
  // With a scheme without hosts, a server may read the authority as the first segment of the path.
  if (hasEncodedDots(`${authority ?? ''}${normalPath}`)) return undefined;
  // Without an authority, a path that now begins with `//` would be read as one.
  if (authority === undefined && normalPath.startsWith('//')) return undefined;
  const normalScheme = scheme.toLowerCase();
  const host = authority !== undefined && HOST_SCHEMES.has(normalScheme) ? lowercaseHost(authority) : authority;
  return `${normalScheme}:${host === undefined ? '' : `//${host}`}${normalPath}${query}${fragment}`;
}

/** A URI and the URIs it may be a sub-resource of, nearest first: `a:/b/c`, `a:/b/`, `a:/b`, and so on. */
export function uriAncestry(uri: string): readonly string[] {
  const all = [uri];
  for (let end = uri.lastIndexOf('/'); end > 0; end = uri.lastIndexOf('/', end - 1)) {
    if (end < uri.length - 1) all.push(uri.slice(0, end + 1));
    all.push(uri.slice(0, end));
  }
  return all;
}

/** Puts escapes in upper case and decodes those of unreserved characters. */
function normalizeEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return UNRESERVED.test(char) ? char : escaped.toUpperCase();
  });
}

/** Lower-cases a host and keeps its escapes in upper case. */
function lowercaseHost(host: string): string {
  return host.toLowerCase().replaceAll(/%[0-9a-f]{2}/g, (escaped) => escaped.toUpperCase());
}

/** Removes dot segments by RFC 3986 §5.2.4 from a path that begins with `/`. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.slice(1).split('/');
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '..') output.pop();
    else if (segment !== '.') output.push(segment);
    if (isLast && (segment === '..' || segment === '.')) output.push('');
  });
  return `/${output.join('/')}`;
}

/** True when decoding yields a dot segment: a resource denied as `a/b` must not be readable as `a/%2e/b`. */
function hasEncodedDots(path: string): boolean {
  let seen = path;
  for (let round = 0; round <= MAX_DECODING_ROUNDS; round += 1) {
    if (seen.split(/[/\\]/).some((segment) => segment === '.' || segment === '..')) return true;
    const decoded = seen.replaceAll(/%[0-9A-Fa-f]{2}/g, (escaped) =>
      String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
    );
    if (decoded === seen) return false;
    seen = decoded;
  }
  return true;
}

/** The host of a URL in its registered form (`xn--…`) when its letters are not all ASCII; undefined when they are. */
export function idnHost(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname.split('.').some((label) => label.startsWith('xn--')) ? hostname : undefined;
}
