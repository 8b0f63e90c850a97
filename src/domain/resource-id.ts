import { normalizeUri } from '../lib/uri/uri.ts';
import type { Problem } from './problem.ts';

const RESOURCE_ID = /^(resource:[^/]*\/)(.+)$/s;
/** Substitutes for the first `*` of a pattern: text, a scheme, the end of an escape, the digits of an escape, nothing. */
const FIRST_STAR_SUBSTITUTES = ['zqz', 'zkz:', 'F', '2F', ''];
const OTHER_STAR_SUBSTITUTES = ['zqz', 'F', ''];
/** Substitutes that can be found again in a normal form. */
const STAR_SUBSTITUTE = /zqz|zkz:/g;

/**
 * Normalizes the URI of a resource id, as calls are decided on it. A URI template stays as it is declared. Returns
 * undefined if the URI has no normal form.
 */
export function normalizeResourceId(object: string): string | undefined {
  const [, prefix = '', uri] = RESOURCE_ID.exec(object) ?? [];
  if (uri === undefined || isUriTemplate(uri)) return object;
  const normal = normalizeUri(uri);
  return normal === undefined ? undefined : `${prefix}${normal}`;
}

/**
 * Detects an object of a row that no resource can match, because its URI is not in normal form for any text in place of
 * `*`. `normal` is the spelling to use instead, if there is one. Returns undefined if the URI is in normal form.
 */
export function nonCanonicalUri(object: string): { readonly normal?: string } | undefined {
  const [, prefix = '', uri] = RESOURCE_ID.exec(object) ?? [];
  if (uri === undefined || isUriTemplate(uri)) return undefined;
  // A `*` before the first slash may match part of the URI, unless the rest begins with a scheme.
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
 * Describes an object or glob whose URI is not in normal form. Calls are decided and counted by normal forms: a `deny`
 * row in another spelling would deny nothing, and a limit would count nothing.
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
