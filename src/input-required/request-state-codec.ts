import type { Call, RequestStateStatus } from '../domain/call.ts';
import { AuthenticatedToken } from '../lib/authenticated-token.ts';
import { digestOfJson } from '../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json/json.ts';

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
