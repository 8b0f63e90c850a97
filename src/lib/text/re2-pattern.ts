import { RE2JS } from 're2js';

/** A regular expression that matches in time linear in the text. */
export interface Re2Pattern {
  /** The expression as written (ECMA-262). */
  readonly source: string;
  /** Number of instructions of the compiled program, and so the most steps per character of a match. */
  readonly size: number;
  /** True when the expression matches anywhere in `text`. */
  test(text: string): boolean;
}

/** Longest expression and largest program; beyond these, compiling alone takes noticeable time. */
const MAX_SOURCE_LENGTH = 1_000;
const MAX_SIZE = 2_500;

// ECMA-262 `\s` is wider than RE2's.
const SPACES =
  '\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NOT_SPACES =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';
const ANY = '[^\\x{a}\\x{d}\\x{2028}\\x{2029}]';

// RE2 knows general categories by their short names only.
const SHORT_NAMES: Readonly<Record<string, string>> = {
  Letter: 'L',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Mark: 'M',
  Number: 'N',
  Decimal_Number: 'Nd',
  Punctuation: 'P',
  Symbol: 'S',
  Separator: 'Z',
};

/**
 * Compiles an ECMA-262 expression for RE2, a linear engine, and keeps the meaning of ECMA-262. Undefined when the text is
 * not an expression, needs look-around or back-references, or is too large.
 */
export function compileRe2Pattern(source: string): Re2Pattern | undefined {
  if (source.length > MAX_SOURCE_LENGTH) return undefined;
  const unicode = isExpression(source, 'u');
  if (!unicode && !isExpression(source, '')) return undefined;
  const translated = new Translation(source, unicode).run();
  if (translated === undefined) return undefined;
  try {
    const program = RE2JS.compile(translated);
    return { source, size: program.programSize(), test: (text) => program.test(text) };
  } catch {
    return undefined;
  }
}

function isExpression(source: string, flags: string): boolean {
  try {
    return new RegExp(source, flags).flags === flags;
  } catch {
    return false;
  }
}

interface Atom {
  readonly text: string;
  /** False for escapes such as `\d` that stand for a set and so cannot begin or end a range. */
  readonly single: boolean;
}

/**
 * Rewrites a valid ECMA-262 expression into RE2 syntax, and refuses what RE2 cannot express. `RE2JS.translateRegExp` does
 * not serve: it changes the meaning of `\s`, `.` and long category names. A property test compares the two elsewhere.
 */
class Translation {
  readonly #units: readonly string[];
  readonly #unicode: boolean;
  #at = 0;
  #out = '';
  // An estimate of the program's size: RE2 unrolls repetition, so nested counts multiply.
  #size = 0;
  #lastSize = 0;
  readonly #outerSizes: number[] = [];

  constructor(source: string, unicode: boolean) {
    this.#units = Array.from(source);
    this.#unicode = unicode;
  }

  run(): string | undefined {
    while (this.#at < this.#units.length) {
      if (!this.#step() || this.#size > MAX_SIZE) return undefined;
    }
    return this.#out;
  }

  #step(): boolean {
    const unit = this.#units[this.#at] ?? '';
    if (unit === '(') return this.#openGroup();
    if (unit === '[') return this.#characterClass();
    if (unit === '{') return this.#counted();
    this.#at += 1;
    if (unit === ')') return this.#closeGroup();
    if (unit === '\\') {
      if (/[bB]/.test(this.#units[this.#at] ?? '')) return this.#emit(`\\${this.#units[this.#at++]}`);
      const atom = this.#escape(false);
      return atom !== undefined && this.#emit(atom.text);
    }
    if (unit === '.') return this.#emit(ANY);
    if (/[|^$*+?]/.test(unit)) return this.#emit(unit);
    return this.#emit(literal(unit));
  }

  #emit(text: string): boolean {
    this.#out += text;
    this.#lastSize = 1;
    this.#size += 1;
    return true;
  }

  #openGroup(): boolean {
    const rest = this.#units.slice(this.#at, this.#at + 130).join('');
    const head = /^\((?:\?:|\?<[\p{L}_$][\p{L}\p{N}_$]*>|(?!\?))/u.exec(rest);
    if (!head) return false;
    this.#at += Array.from(head[0]).length;
    // Captures are not used, so every group becomes a non-capturing one.
    this.#out += '(?:';
    this.#outerSizes.push(this.#size);
    this.#size = 0;
    return true;
  }

  #closeGroup(): boolean {
    this.#out += ')';
    this.#lastSize = this.#size + 1;
    this.#size = (this.#outerSizes.pop() ?? 0) + this.#lastSize;
    return true;
  }

  #counted(): boolean {
    const rest = this.#units.slice(this.#at, this.#at + 24).join('');
    const count = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
    if (!count) {
      this.#at += 1;
      // Outside unicode mode, a brace that is not a quantifier is a literal.
      return this.#emit(literal('{'));
    }
    this.#at += count[0].length;
    this.#out += count[0];
    this.#size += this.#lastSize * Math.max(Number(count[1]), Number(count[2] ?? 0), 1);
    return true;
  }

  #characterClass(): boolean {
    this.#at += 1;
    const negated = this.#units[this.#at] === '^';
    if (negated) this.#at += 1;
    let ranges = '';
    while (this.#units[this.#at] !== ']') {
      const first = this.#classAtom();
      if (first === undefined) return false;
      ranges += first.text;
      if (this.#units[this.#at] !== '-' || this.#units[this.#at + 1] === ']') continue;
      this.#at += 1;
      const last = this.#classAtom();
      if (last === undefined) return false;
      ranges += (first.single && last.single ? '-' : literal('-')) + last.text;
    }
    this.#at += 1;
    // ECMA-262: `[^]` matches any character; `[]` matches none, which RE2 cannot express.
    if (ranges === '') return negated && this.#emit('[\\x{0}-\\x{10ffff}]');
    return this.#emit(`[${negated ? '^' : ''}${ranges}]`);
  }

  #classAtom(): Atom | undefined {
    const unit = this.#units[this.#at];
    if (unit === undefined) return undefined;
    this.#at += 1;
    return unit === '\\' ? this.#escape(true) : { text: literal(unit), single: true };
  }

  /** Reads the part of an escape behind the backslash. */
  #escape(inClass: boolean): Atom | undefined {
    const rest = this.#units.slice(this.#at, this.#at + 80).join('');
    const unit = rest.charAt(0);
    if (/[dDwW]/.test(unit)) return this.#consume(1, `\\${unit}`, false);
    if (unit === 's') return this.#consume(1, inClass ? SPACES : `[${SPACES}]`, false);
    if (unit === 'S') return this.#consume(1, inClass ? NOT_SPACES : `[${NOT_SPACES}]`, false);
    const property = /^([pP])\{(?:Script=|sc=|General_Category=|gc=)?([A-Za-z_]+)\}/.exec(rest);
    if (property && this.#unicode) {
      const name = property[2] ?? '';
      return this.#consume(property[0].length, `\\${property[1]}{${SHORT_NAMES[name] ?? name}}`, false);
    }
    const control = { t: 0x9, n: 0xa, v: 0xb, f: 0xc, r: 0xd, b: 0x8 }[unit];
    if (control !== undefined && (unit !== 'b' || inClass)) return this.#consume(1, codePoint(control), true);
    if (/^0(?!\d)/.test(rest)) return this.#consume(1, codePoint(0), true);
    const letter = /^c([A-Za-z])/.exec(rest)?.[1];
    if (letter !== undefined) return this.#consume(2, codePoint(letter.charCodeAt(0) % 32), true);
    const pair = /^u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})/i.exec(rest);
    if (pair) {
      const whole = String.fromCharCode(Number.parseInt(pair[1] ?? '', 16), Number.parseInt(pair[2] ?? '', 16));
      return this.#consume(11, literal(whole), true);
    }
    const hex = /^x([\da-f]{2})|^u([\da-f]{4})/i.exec(rest) ?? (this.#unicode ? /^u\{([\da-f]+)\}/i.exec(rest) : null);
    if (hex) return this.#consume(hex[0].length, codePoint(Number.parseInt(hex[1] ?? hex[2] ?? '', 16)), true);
    // An escaped punctuation mark stands for itself; an escaped letter or digit differs between the dialects.
    const sign = this.#units[this.#at];
    return sign === undefined || /[\p{L}\p{N}]/u.test(sign) ? undefined : this.#consume(1, literal(sign), true);
  }

  #consume(units: number, text: string, single: boolean): Atom {
    this.#at += units;
    return { text, single };
  }
}

function literal(character: string): string {
  return /^\w$/.test(character) ? character : codePoint(character.codePointAt(0) ?? 0);
}

function codePoint(value: number): string {
  return `\\x{${value.toString(16)}}`;
}
