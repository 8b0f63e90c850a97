/** Control characters, line ends, zero-width, bidirectional and tag characters: what acts on a terminal or hides text. */
const UNSEEN =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Text from outside with all that is not seen shown as `\uXXXX`, so that it stays one line and moves no cursor (CWE-117,
 * CWE-150). Within JSON the escapes mean what they replace.
 */
export function visibleText(text: string): string {
  return text.replaceAll(UNSEEN, escaped);
}

/** Like `visibleText`, and leaves line ends and tabs: for texts of several lines. */
export function visibleLines(text: string): string {
  return text.replaceAll(UNSEEN, (unseen) => (unseen === '\n' || unseen === '\t' ? unseen : escaped(unseen)));
}

function escaped(unseen: string): string {
  let units = '';
  for (let index = 0; index < unseen.length; index += 1) {
    units += `\\u${unseen.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return units;
}
