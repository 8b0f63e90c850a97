/** True when `text` matches `pattern`. `*` stands for any run of characters, also empty and across `/`; nothing else is special. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let resumeAt = 0;
  // Two pointers and one backtracking point: at most pattern × text steps for any pattern.
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

/** True when `pattern` holds no `*`, and so matches one text only. */
export function isLiteralGlob(pattern: string): boolean {
  return !pattern.includes('*');
}

/** True when `wide` matches every text that `narrow` matches. Exact, because `*` is the only special character. */
export function globCovers(wide: string, narrow: string): boolean {
  // A `*` of `narrow` may stand for a character that `wide` does not write out, so a `*` of `wide` must match it.
  return globMatches(wide, narrow.replaceAll('*', '\u{10FFFF}'));
}
