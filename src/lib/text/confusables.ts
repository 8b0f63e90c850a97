// UTS #39 §4: the letters of other scripts that are drawn like an ASCII letter, and the ASCII letters drawn like others.
// Names are ASCII by rule, so only what resembles ASCII matters; the table holds the scripts that fonts draw alike.
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

/** The ASCII text that `name` is drawn like: look-alikes of other scripts replaced, accents and invisible characters dropped. */
export function toAsciiConfusable(name: string): string {
  // Nearly all names are ASCII already, and catalogs hold thousands of them.
  if (/^[\x20-\x7e]*$/.test(name)) return name;
  let ascii = '';
  for (const char of name.normalize('NFKD')) {
    if (/\p{Mn}|\p{Default_Ignorable_Code_Point}/u.test(char)) continue;
    ascii += ASCII_OF.get(char) ?? char;
  }
  return ascii;
}

/**
 * The skeletons under which names are the same to a hurried reader: one without case, one by UTS #39 §4 where
 * `0` is `o`, `1`, `I` and `|` are `l`, and `rn` is `m`. Two names look alike when they share a skeleton.
 */
export function skeletons(name: string): readonly [caseless: string, drawn: string] {
  const ascii = toAsciiConfusable(name);
  const skeleton = ascii.replace(/[1I|]/g, 'l').toLowerCase().replaceAll('0', 'o').replaceAll('m', 'rn');
  return [ascii.toLowerCase(), skeleton];
}

/** Pairs of different names that look alike, each name with the first one it resembles. */
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
