import { LRUCache } from 'lru-cache';
import { compileRe2Pattern, type Re2Pattern } from '../../lib/text/re2-pattern.ts';

// Admission and compilation use the same patterns, and so do the tools of one server.
const cachedPatterns = new LRUCache<string, Re2Pattern>({ max: 500 });

/** Compiles a pattern to RE2, or returns the cached one; undefined if it cannot match in linear time. */
export function compiledPattern(source: string): Re2Pattern | undefined {
  const cached = cachedPatterns.get(source);
  if (cached) return cached;
  const pattern = compileRe2Pattern(source);
  if (pattern) cachedPatterns.set(source, pattern);
  return pattern;
}
