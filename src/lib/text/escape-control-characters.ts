/** Control, line-end, zero-width, bidirectional and tag characters: they control a terminal or hide text. */
const CONTROL_CHARACTERS =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Escapes invisible characters of untrusted text as `\uXXXX`: the result is one line and cannot control a terminal
 * (CWE-117, CWE-150). Inside a JSON string the escapes stand for the characters they replace.
 */
export function escapeControlCharacters(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, escapeMatch);
}

/** Like {@link escapeControlCharacters}, but keeps line ends and tabs, for text of several lines. */
export function escapeControlCharactersInLines(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, (character) =>
    character === '\n' || character === '\t' ? character : escapeMatch(character),
  );
}

function escapeMatch(character: string): string {
  let units = '';
  for (let index = 0; index < character.length; index += 1) {
    units += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return units;
}
