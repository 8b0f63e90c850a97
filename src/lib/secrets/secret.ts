import { inspect } from 'node:util';

/** A text that must not leak: printing, serializing, inspecting or concatenating it yields `[secret]`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. Call it only where the secret is sent. */
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

// `isolatedDeclarations` does not allow a computed symbol of a library as a member name.
Object.defineProperty(Secret.prototype, inspect.custom, { value: (): string => '[secret]' });
