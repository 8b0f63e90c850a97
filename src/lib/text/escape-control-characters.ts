/** Control characters, line ends, zero-width, bidirectional and tag characters: what acts on a terminal or hides text. */
const CONTROL_CHARACTERS =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Text from outside with all that is not seen shown as `\uXXXX`, so that it stays one line and moves no cursor (CWE-117,
 * CWE-150). Within JSON the escapes mean what they replace.
 */
export function escapeControlCharacters(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, escapeMatch);
}

/** Like `visibleText`, and leaves line ends and tabs: for texts of several lines. */
export function escapeControlCharactersInLines(text: string): string {
  return text.replaceAll(CONTROL_CHARACTERS, (unseen) =>
    unseen === '\n' || unseen === '\t' ? unseen : escapeMatch(unseen),
  );
}

function escapeMatch(unseen: string): string {
  let units = '';
  for (let index = 0; index < unseen.length; index += 1) {
    units += `\\u${unseen.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return units;
}
