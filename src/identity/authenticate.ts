import type { Principal } from '../domain/principal.ts';
import type { Clock } from '../lib/clock.ts';
import { hashSecret, parseApiKey, sameHash } from './api-key.ts';
import type { ApiKeyRecord } from './key-store.ts';
import { type AgentLookup, mintPrincipal } from './mint-principal.ts';

/** Who it is, or that it is nobody. A refusal tells nothing of why: the log does. */
export type AuthResult =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly because: AuthFailure };

export type AuthFailure =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'wrong-secret'
  | 'revoked'
  | 'expired'
  | 'unknown-agent';

/** The two headers that may carry a key, as `node:http` gives them. */
export interface AuthHeaders {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

export interface Verifier {
  keyOf(id: string): ApiKeyRecord | undefined;
  agentOf: AgentLookup;
  clock: Clock;
}

const NO_KEY_HASH: Uint8Array = hashSecret('');

/** What a message presents: the public id of a key and the hash of its secret. */
type Presented = { readonly id: string; readonly secretHash: Uint8Array } | 'missing' | 'malformed';

/** What each connection presented last, and under which headers. */
const presentedOn = new WeakMap<object, { readonly headers: AuthHeaders; readonly presented: Presented }>();

/**
 * Verifies the API key of a message. `Authorization: Bearer` (RFC 6750 §2.1) and `x-api-key` say the same; both at
 * once must be equal. Every path that is not a proof is a refusal. Headers that come again on one `connection` are not
 * hashed again; whether the key holds is asked each time.
 */
export function authenticate(headers: AuthHeaders, verifier: Verifier, connection?: object): AuthResult {
  const presented = connection === undefined ? presentedIn(headers) : presentedAgain(headers, connection);
  if (typeof presented === 'string') return { ok: false, because: presented };
  const record = verifier.keyOf(presented.id);
  // The hash is compared also for an unknown id, so that both take the same time.
  const same = sameHash(presented.secretHash, record?.secretHash ?? NO_KEY_HASH);
  if (!record) return { ok: false, because: 'unknown-key' };
  if (!same) return { ok: false, because: 'wrong-secret' };
  if (record.revokedAtMs !== undefined) return { ok: false, because: 'revoked' };
  if (record.expiresAtMs !== undefined && record.expiresAtMs <= verifier.clock.wallMs())
    return { ok: false, because: 'expired' };
  const agent = verifier.agentOf(record.agent);
  if (!agent) return { ok: false, because: 'unknown-agent' };
  return { ok: true, principal: mintPrincipal(agent, { by: 'api-key', credentialId: record.id }) };
}

function presentedAgain({ authorization, 'x-api-key': apiKey }: AuthHeaders, connection: object): Presented {
  const last = presentedOn.get(connection);
  // What a connection says is held against its own words alone.
  if (last !== undefined && last.headers.authorization === authorization && last.headers['x-api-key'] === apiKey) {
    return last.presented;
  }
  const headers = { authorization, 'x-api-key': apiKey };
  const presented = presentedIn(headers);
  presentedOn.set(connection, { headers, presented });
  return presented;
}

function presentedIn(headers: AuthHeaders): Presented {
  const key = presentedKey(headers);
  if (key === undefined) return 'missing';
  const parts = parseApiKey(key);
  return parts === undefined ? 'malformed' : { id: parts.id, secretHash: hashSecret(parts.secret) };
}

function presentedKey(headers: AuthHeaders): string | undefined {
  const apiKey = headers['x-api-key'];
  const bearer =
    headers.authorization === undefined ? undefined : (/^Bearer ([^\s]+)$/i.exec(headers.authorization)?.[1] ?? '');
  if (apiKey === undefined) return bearer;
  if (typeof apiKey !== 'string') return '';
  return bearer === undefined || bearer === apiKey ? apiKey : '';
}
