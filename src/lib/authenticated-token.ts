import { createCipheriv, createDecipheriv } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals texts so that their bearer can neither read nor change them: AES-256-GCM (NIST SP 800-38D) under one key, nonce,
 * ciphertext and tag in base64url. With random nonces, one key is good for 2³² texts.
 */
export class AuthenticatedToken {
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #key: Uint8Array;
  readonly #purpose: Uint8Array;

  /** `purpose` is authenticated too: a token sealed for one purpose does not open for another. */
  constructor(randomBytes: (length: number) => Uint8Array, purpose: string) {
    this.#randomBytes = randomBytes;
    this.#key = randomBytes(KEY_BYTES);
    this.#purpose = Buffer.from(purpose, 'utf8');
  }

  seal(text: string): string {
    const nonce = this.#randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(this.#purpose);
    const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64url');
  }

  /** Opens a token; undefined when it was not sealed with this key and purpose, or was changed in any way. */
  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    // The decoder skips invalid characters and unused bits; accepting those would give one token several spellings.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== sealed) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(this.#purpose)
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
