import { globMatches } from '../lib/glob.ts';
import type { NamedSelection, Selection } from './virtual-settings.ts';

/** The original of a thing, as files of `registry/virtual/` write it. */
export function sourceName(server: string, name: string): string {
  return `${server}/${name}`;
}

/** True when a selection shows an original by its globs. */
export function isIncluded({ include, exclude }: Selection, source: string): boolean {
  return include.some((glob) => globMatches(glob, source)) && !isExcluded({ exclude }, source);
}

export function isExcluded({ exclude }: Pick<Selection, 'exclude'>, source: string): boolean {
  return exclude.some((glob) => globMatches(glob, source));
}

/** Names by original, the other way round than a file has them. */
export function renamesBySource({ rename }: NamedSelection): ReadonlyMap<string, string> {
  return new Map(Array.from(rename, ([name, source]) => [source, name]));
}
