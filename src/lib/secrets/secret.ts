import { inspect } from 'node:util';

/** A text that is never shown: printing, serializing, inspecting or concatenating it yields `[secret]`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.toPrimitive](): string {
    return '[secret]';
  }
}

// Declarations made file by file cannot name a symbol that a library computes, so it is put on here.
Object.defineProperty(Secret.prototype, inspect.custom, { value: (): string => '[secret]' });
