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

/**
 * Verifies the API key of a message. `Authorization: Bearer` (RFC 6750 §2.1) and `x-api-key` say the same; both at
 * once must be equal. Every path that is not a proof is a refusal.
 */
export function authenticate(headers: AuthHeaders, verifier: Verifier): AuthResult {
  const presented = presentedKey(headers);
  if (presented === undefined) return { ok: false, because: 'missing' };
  const parts = parseApiKey(presented);
  if (!parts) return { ok: false, because: 'malformed' };
  const record = verifier.keyOf(parts.id);
  // The hash is compared also for an unknown id, so that both take the same time.
  const same = sameHash(hashSecret(parts.secret), record?.secretHash ?? NO_KEY_HASH);
  if (!record) return { ok: false, because: 'unknown-key' };
  if (!same) return { ok: false, because: 'wrong-secret' };
  if (record.revokedAtMs !== undefined) return { ok: false, because: 'revoked' };
  if (record.expiresAtMs !== undefined && record.expiresAtMs <= verifier.clock.wallMs())
    return { ok: false, because: 'expired' };
  const agent = verifier.agentOf(record.agent);
  if (!agent) return { ok: false, because: 'unknown-agent' };
  return { ok: true, principal: mintPrincipal(agent, { by: 'api-key', credentialId: record.id }) };
}

function presentedKey(headers: AuthHeaders): string | undefined {
  const apiKey = headers['x-api-key'];
  const bearer =
    headers.authorization === undefined ? undefined : (/^Bearer ([^\s]+)$/i.exec(headers.authorization)?.[1] ?? '');
  if (apiKey === undefined) return bearer;
  if (typeof apiKey !== 'string') return '';
  return bearer === undefined || bearer === apiKey ? apiKey : '';
}
