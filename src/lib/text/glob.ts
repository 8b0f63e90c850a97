/** True when `text` matches `pattern`, in which `*` stands for any run of characters (also none, also `/`) and all else for itself. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let resumeAt = 0;
  // Two pointers and one point of return: at most pattern × text steps, whatever the pattern.
  while (t < text.length) {
    if (pattern[p] === '*') {
      starAt = p;
      resumeAt = t;
      p += 1;
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (starAt >= 0) {
      resumeAt += 1;
      p = starAt + 1;
      t = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** True when `pattern` holds no `*` and so matches one text only. */
export function isLiteralGlob(pattern: string): boolean {
  return !pattern.includes('*');
}

/** True when everything that `narrow` matches is matched by `wide` too. Exact: `*` is the only special character. */
export function globCovers(wide: string, narrow: string): boolean {
  // A `*` of `narrow` may stand for a text that no pattern writes out, so it must be eaten by a `*` of `wide`.
  return globMatches(wide, narrow.replaceAll('*', '\u{10FFFF}'));
}
