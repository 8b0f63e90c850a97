import { normalizeUri } from '../lib/uri/uri.ts';
import type { Problem } from './problem.ts';

const RESOURCE_ID = /^(resource:[^/]*\/)(.+)$/s;
/** Stand-ins for the first `*` of a pattern: some text, a scheme, the rest of an escape, an escape's digits, nothing. */
const FIRST_STAR_SUBSTITUTES = ['zqz', 'zkz:', 'F', '2F', ''];
const OTHER_STAR_SUBSTITUTES = ['zqz', 'F', ''];
/** Those that are told apart from all else in a normal form. */
const STAR_SUBSTITUTE = /zqz|zkz:/g;

/**
 * An object as calls are decided on: the URI of a resource in its normal form. Undefined where its URI has none. A URI
 * template is decided on as it is declared.
 */
export function normalizeResourceId(object: string): string | undefined {
  const [, prefix = '', uri] = RESOURCE_ID.exec(object) ?? [];
  if (uri === undefined || isUriTemplate(uri)) return object;
  const normal = normalizeUri(uri);
  return normal === undefined ? undefined : `${prefix}${normal}`;
}

/**
 * What keeps every resource from matching the object of a row: its URI, whose `*` may stand for any text, is in no normal
 * form. `normal` is what to write instead, where that can be told. Undefined when nothing is wrong.
 */
export function nonCanonicalUri(object: string): { readonly normal?: string } | undefined {
  const [, prefix = '', uri] = RESOURCE_ID.exec(object) ?? [];
  if (uri === undefined || isUriTemplate(uri)) return undefined;
  // A `*` before the first slash may reach into the URI, unless what follows plainly begins one.
  const pattern = prefix.includes('*') && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri) ? `*/${uri}` : uri;
  const candidates = substituteStars(pattern);
  const normals = candidates.map(normalizeUri);
  if (normals.some((normal, index) => normal === candidates[index])) return undefined;
  const stars = pattern.split('*').length;
  const normal = normals.find((each) => each?.split(STAR_SUBSTITUTE).length === stars);
  return normal === undefined || pattern !== uri
    ? {}
    : { normal: `${prefix}${normal.replaceAll(STAR_SUBSTITUTE, '*')}` };
}

/**
 * What is wrong, in words, with an object or glob of objects whose URI is in no normal form. Calls are decided on and
 * counted by normal forms, so that a `deny` row in another spelling would keep nobody out, and a limit count nothing.
 */
export function uriProblem(object: string): Pick<Problem, 'message' | 'hint'> | undefined {
  const nonCanonical = nonCanonicalUri(object);
  if (nonCanonical === undefined) return undefined;
  const hint =
    nonCanonical.normal === undefined
      ? 'write a URI as RFC 3986 does, such as `resource:files/file:///notes.md`: without `..`, control characters and userinfo'
      : `write \`${nonCanonical.normal}\``;
  return { message: `the URI of \`${object}\` is not in normal form`, hint };
}

function substituteStars(pattern: string): readonly string[] {
  if (!pattern.includes('*')) return [pattern];
  return FIRST_STAR_SUBSTITUTES.flatMap((first) => {
    const withFirst = pattern.replace('*', first);
    return withFirst.includes('*')
      ? OTHER_STAR_SUBSTITUTES.map((other) => withFirst.replaceAll('*', other))
      : [withFirst];
  });
}

function isUriTemplate(uri: string): boolean {
  return /[{}]/.test(uri);
}
