/** Longest URI that is read, in characters. */
export const MAX_URI_LENGTH = 2_048;

const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/;
/** Schemes whose authority is a host of the DNS, where case says nothing; elsewhere it may be a name of any kind. */
const HOST_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'ftps', 'sftp', 'ssh', 'file']);
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** A path that is still encoded after so many rounds was made to deceive. */
const MAX_DECODINGS = 4;

/**
 * The normal form of a URI (RFC 3986 §6.2.2): scheme in lower case, and the host where the scheme has one; escapes in
 * upper case and only where they are needed; no dot segments. Undefined for what is no URI, holds a control character
 * or userinfo, has dot segments without a root, or hides one behind escapes or backslashes, which a server that decodes
 * late would follow.
 */
export function normalizeUri(text: string): string | undefined {
  if (text.length > MAX_URI_LENGTH || !URI_CHARACTERS.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const parts = PARTS.exec(normalizeEscapes(text));
  if (parts === null) return undefined;
  const [, scheme = '', authority, path = '', query = '', fragment = ''] = parts;
  // Userinfo names a secret or deceives about the host; an escaped control character is one all the same.
  if (authority !== undefined && /@|%40/.test(authority)) return undefined;
  if (/%(?:[01][0-9A-F]|7F)/.test(parts[0])) return undefined;
  const normalizePath = path.startsWith('/') ? removeDotSegments(path) : path;
  // Where a scheme is no host's, a server may well read the authority as the first of its path.
  if (hasEncodedDots(`${authority ?? ''}${normalizePath}`)) return undefined;
  // Without an authority a path that has come to begin with `//` would be read as one.
  if (authority === undefined && normalizePath.startsWith('//')) return undefined;
  const normalizeScheme = scheme.toLowerCase();
  const host = authority !== undefined && HOST_SCHEMES.has(normalizeScheme) ? lowercaseHost(authority) : authority;
  return `${normalizeScheme}:${host === undefined ? '' : `//${host}`}${normalizePath}${query}${fragment}`;
}

/** A URI and those that it may be a sub-resource of, nearest first: `a:/b/c` is within `a:/b/`, `a:/b` and what is above. */
export function uriAncestry(uri: string): readonly string[] {
  const all = [uri];
  for (let end = uri.lastIndexOf('/'); end > 0; end = uri.lastIndexOf('/', end - 1)) {
    if (end < uri.length - 1) all.push(uri.slice(0, end + 1));
    all.push(uri.slice(0, end));
  }
  return all;
}

/** Escapes in upper case, and none for characters that need none. */
function normalizeEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return UNRESERVED.test(char) ? char : escaped.toUpperCase();
  });
}

/** Escapes within a host stay in upper case. */
function lowercaseHost(host: string): string {
  return host.toLowerCase().replaceAll(/%[0-9a-f]{2}/g, (escaped) => escaped.toUpperCase());
}

/** RFC 3986 §5.2.4, for a path that begins with `/`. */
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

/** `a/./b` is `a/b` to whoever follows it, and what is denied as the one must not be had as the other. */
function hasEncodedDots(path: string): boolean {
  let seen = path;
  for (let round = 0; round <= MAX_DECODINGS; round += 1) {
    if (seen.split(/[/\\]/).some((segment) => segment === '.' || segment === '..')) return true;
    const decoded = seen.replaceAll(/%[0-9A-Fa-f]{2}/g, (escaped) =>
      String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
    );
    if (decoded === seen) return false;
    seen = decoded;
  }
  return true;
}

/** The host of a URL whose letters are not all ASCII, as its owner registered it (`xn--…`); undefined where they are. */
export function idnHost(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname.split('.').some((label) => label.startsWith('xn--')) ? hostname : undefined;
}
