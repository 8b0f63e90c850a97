import { compileLinearPattern, type LinearPattern } from '../lib/linear-pattern.ts';
import { LruMap } from '../lib/lru.ts';

// Admission and compilation ask for the same expressions, and so do tools of one server.
const recent = new LruMap<string, LinearPattern>(500);

/** The linear form of an expression; undefined when it has none. Compiled once while it is in use. */
export function patternOf(source: string): LinearPattern | undefined {
  const known = recent.get(source);
  if (known) return known;
  const pattern = compileLinearPattern(source);
  if (pattern) recent.set(source, pattern);
  return pattern;
}
