// UTS #39 §4: letters of other scripts that look like an ASCII letter, and ASCII characters that look like another.
// Valid names are ASCII, so only characters that resemble ASCII matter.
const CONFUSABLES: Readonly<Record<string, string>> = {
  a: 'аαɑаａ',
  b: 'Ььƅᖯｂ',
  c: 'сϲᴄⅽｃ',
  d: 'ԁⅾᏧｄ',
  e: 'еҽ℮ｅ',
  f: 'ꬵẝք',
  g: 'ɡցᶃｇ',
  h: 'һհᏂｈ',
  i: 'іɩιıӏⅰｉ',
  j: 'јϳｊ',
  k: 'κкᴋｋ',
  l: 'ⅼӏΙІǀاון|ｌ',
  m: 'ⅿмｍ',
  n: 'ոռｎ',
  o: 'оοσօ௦०０ｏΟО',
  p: 'рρϱⲣｐ',
  q: 'ԛգզｑ',
  r: 'гᴦⲅｒ',
  s: 'ѕꜱƽｓ',
  t: 'τтᴛｔ',
  u: 'υսᴜｕ',
  v: 'νѵᴠⅴｖ',
  w: 'ԝѡᴡաｗ',
  x: 'хⅹ×ᕁｘ',
  y: 'уүγყｙ',
  z: 'ᴢｚ',
  A: 'АΑᎪＡ',
  B: 'ВΒᏴＢ',
  C: 'СϹᏟⅭＣ',
  E: 'ЕΕᎬＥ',
  H: 'НΗᎻＨ',
  I: 'ӀⅠＩ',
  J: 'ЈᎫＪ',
  K: 'КΚᏦＫ',
  M: 'МΜᎷⅯＭ',
  N: 'ΝＮ',
  P: 'РΡᏢＰ',
  S: 'ЅՏᏚＳ',
  T: 'ТΤᎢＴ',
  X: 'ХΧⅩＸ',
  Y: 'ҮΥＹ',
  Z: 'ΖᏃＺ',
  '-': '‐‑‒–−－',
  _: '＿',
  '.': '․．',
};

const ASCII_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(CONFUSABLES).flatMap(([ascii, alike]) => Array.from(alike, (char) => [char, ascii] as const)),
);

/** Replaces look-alikes of other scripts in `name` with the ASCII they resemble, and drops accents and invisible characters. */
export function toAsciiConfusable(name: string): string {
  // Fast path: nearly all names are ASCII, and catalogs hold thousands of them.
  if (/^[\x20-\x7e]*$/.test(name)) return name;
  let ascii = '';
  for (const char of name.normalize('NFKD')) {
    if (/\p{Mn}|\p{Default_Ignorable_Code_Point}/u.test(char)) continue;
    ascii += ASCII_OF.get(char) ?? char;
  }
  return ascii;
}

/**
 * The two skeletons of a name: one without case, one by UTS #39 §4, in which `0` is `o`, `1`, `I` and `|` are `l`, and
 * `m` is `rn`. Two names look alike when they share a skeleton.
 */
export function skeletons(name: string): readonly [caseless: string, drawn: string] {
  const ascii = toAsciiConfusable(name);
  const skeleton = ascii.replace(/[1I|]/g, 'l').toLowerCase().replaceAll('0', 'o').replaceAll('m', 'rn');
  return [ascii.toLowerCase(), skeleton];
}

/** Maps each name that looks like an earlier one to the first name it resembles. */
export function findConfusables(names: Iterable<string>): ReadonlyMap<string, string> {
  const bySkeleton = new Map<string, string>();
  const confusables = new Map<string, string>();
  for (const name of names) {
    const [caseless, skeleton] = skeletons(name);
    for (const key of [`case:${caseless}`, `drawn:${skeleton}`]) {
      const other = bySkeleton.get(key);
      if (other === undefined) bySkeleton.set(key, name);
      else if (other !== name && !confusables.has(name)) confusables.set(name, other);
    }
  }
  return confusables;
}
