import { globMatches } from '../lib/glob.ts';
import type { NamedSelection, Selection } from './virtual-settings.ts';

/** The original of a thing, as files of `registry/virtual/` write it. */
export function originalOf(server: string, name: string): string {
  return `${server}/${name}`;
}

/** True when a selection shows an original by its globs. */
export function selects({ include, exclude }: Selection, original: string): boolean {
  return include.some((glob) => globMatches(glob, original)) && !isExcluded({ exclude }, original);
}

export function isExcluded({ exclude }: Pick<Selection, 'exclude'>, original: string): boolean {
  return exclude.some((glob) => globMatches(glob, original));
}

/** Names by original, the other way round than a file has them. */
export function namesByOriginal({ rename }: NamedSelection): ReadonlyMap<string, string> {
  return new Map(Array.from(rename, ([name, original]) => [original, name]));
}
