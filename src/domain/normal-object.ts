import { normalUri } from '../lib/uri.ts';
import type { Problem } from './problem.ts';

const RESOURCE = /^(resource:[^/]*\/)(.+)$/s;
/** Stand-ins for the first `*` of a pattern: some text, a scheme, the rest of an escape, an escape's digits, nothing. */
const FIRST_STAR = ['zqz', 'zkz:', 'F', '2F', ''];
const OTHER_STARS = ['zqz', 'F', ''];
/** Those that are told apart from all else in a normal form. */
const STANDS_FOR_STAR = /zqz|zkz:/g;

/**
 * An object as calls are decided on: the URI of a resource in its normal form. Undefined where its URI has none. A URI
 * template is decided on as it is declared.
 */
export function normalObject(object: string): string | undefined {
  const [, before = '', uri] = RESOURCE.exec(object) ?? [];
  if (uri === undefined || isTemplate(uri)) return object;
  const normal = normalUri(uri);
  return normal === undefined ? undefined : `${before}${normal}`;
}

/**
 * What keeps every resource from matching the object of a row: its URI, whose `*` may stand for any text, is in no normal
 * form. `normal` is what to write instead, where that can be told. Undefined when nothing is wrong.
 */
export function abnormalUri(object: string): { readonly normal?: string } | undefined {
  const [, before = '', uri] = RESOURCE.exec(object) ?? [];
  if (uri === undefined || isTemplate(uri)) return undefined;
  // A `*` before the first slash may reach into the URI, unless what follows plainly begins one.
  const pattern = before.includes('*') && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri) ? `*/${uri}` : uri;
  const filled = filledIn(pattern);
  const normals = filled.map(normalUri);
  if (normals.some((normal, index) => normal === filled[index])) return undefined;
  const stars = pattern.split('*').length;
  const normal = normals.find((each) => each?.split(STANDS_FOR_STAR).length === stars);
  return normal === undefined || pattern !== uri
    ? {}
    : { normal: `${before}${normal.replaceAll(STANDS_FOR_STAR, '*')}` };
}

/**
 * What is wrong, in words, with an object or glob of objects whose URI is in no normal form. Calls are decided on and
 * counted by normal forms, so that a `deny` row in another spelling would keep nobody out, and a limit count nothing.
 */
export function uriDefect(object: string): Pick<Problem, 'message' | 'hint'> | undefined {
  const abnormal = abnormalUri(object);
  if (abnormal === undefined) return undefined;
  const hint =
    abnormal.normal === undefined
      ? 'write a URI as RFC 3986 does, such as `resource:files/file:///notes.md`: without `..`, control characters and userinfo'
      : `write \`${abnormal.normal}\``;
  return { message: `the URI of \`${object}\` is not in normal form`, hint };
}

function filledIn(pattern: string): readonly string[] {
  if (!pattern.includes('*')) return [pattern];
  return FIRST_STAR.flatMap((first) => {
    const begun = pattern.replace('*', first);
    return begun.includes('*') ? OTHER_STARS.map((other) => begun.replaceAll('*', other)) : [begun];
  });
}

function isTemplate(uri: string): boolean {
  return /[{}]/.test(uri);
}
