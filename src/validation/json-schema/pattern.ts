import { LruMap } from '../../lib/lru.ts';
import { compileRe2Pattern, type Re2Pattern } from '../../lib/text/re2-pattern.ts';

// Admission and compilation ask for the same expressions, and so do tools of one server.
const cachedPatterns = new LruMap<string, Re2Pattern>(500);

/** The linear form of an expression; undefined when it has none. Compiled once while it is in use. */
export function compiledPattern(source: string): Re2Pattern | undefined {
  const cached = cachedPatterns.get(source);
  if (cached) return cached;
  const pattern = compileRe2Pattern(source);
  if (pattern) cachedPatterns.set(source, pattern);
  return pattern;
}
