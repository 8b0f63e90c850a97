import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Call, RequestStateStatus } from '../domain/call.ts';
import { digestOfJson } from '../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json/json.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Longest `requestState` that is read, in characters. */
const MAX_STATE_LENGTH = 4_096;

/** Names one suspended round, and says until when it can be resumed. */
export interface RoundTicket {
  readonly id: string;
  /** Id of the round, which is a call in the ledger. */
  readonly roundId: string;
  /** Time of the monotonic clock, in milliseconds. */
  readonly expiresAtMs: number;
}

/** Result of decoding a `requestState`. */
export type DecodedState =
  | { readonly status: 'valid'; readonly id: string }
  | { readonly status: Exclude<RequestStateStatus, 'valid' | 'spent'> };

/**
 * Encodes the `requestState` of MCP 2026-07-28 (patterns/mrtr). It is encrypted and authenticated under a key of this
 * process, and bound to principal, action, target, definition, view, name and arguments: no other call can resume it.
 * Whether it was used already only the store knows.
 */
export class RequestStateCodec {
  readonly #tokens: AuthenticatedToken;

  constructor(randomBytes: (length: number) => Uint8Array) {
    this.#tokens = new AuthenticatedToken(randomBytes, 'seneschal request state 1');
  }

  encode(call: Call, ticket: RoundTicket): string {
    return this.#tokens.seal(JSON.stringify({ ...bindingOf(call), id: ticket.id, expiresAtMs: ticket.expiresAtMs }));
  }

  decode(call: Call, state: JsonValue, nowMs: number): DecodedState {
    const opened = typeof state === 'string' && state.length <= MAX_STATE_LENGTH ? this.#tokens.open(state) : undefined;
    if (opened === undefined) return { status: 'unreadable' };
    // `as`: only this process can have sealed it, and it seals objects.
    const { id, expiresAtMs, ...binding } = JSON.parse(opened) as JsonObject;
    if (!isSameBinding(binding, bindingOf(call)) || typeof id !== 'string') return { status: 'foreign' };
    if (typeof expiresAtMs !== 'number' || expiresAtMs <= nowMs) return { status: 'expired' };
    return { status: 'valid', id };
  }
}

function bindingOf({ principal, action, target, args }: Call): JsonObject {
  const feature = 'exposedName' in target ? target : undefined;
  return {
    principal: principal.id,
    action,
    target: target.id,
    args: digestOfJson(args),
    definition: 'definitionDigest' in target ? target.definitionDigest : '',
    view: feature?.view ?? '',
    name: feature?.exposedName ?? '',
  };
}

function isSameBinding(one: JsonValue, other: JsonObject): boolean {
  return isJsonObject(one) && Object.keys(other).every((key) => one[key] === other[key]);
}

/**
 * Seals texts so that their bearer can neither read nor change them: AES-256-GCM (NIST SP 800-38D) under one key, nonce,
 * ciphertext and tag in base64url. With random nonces, one key is good for 2³² texts.
 */
class AuthenticatedToken {
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
