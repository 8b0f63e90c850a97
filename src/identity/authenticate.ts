import type { Principal } from '../domain/principal.ts';
import type { Clock } from '../lib/time.ts';
import { type ApiKeyRecord, hashesMatch, hashSecret, parseApiKey } from './api-keys.ts';
import { type AgentLookup, createPrincipal } from './principal.ts';

/** The principal, or the reason of the failure. The reason is for the log and is never sent to the client. */
export type AuthResult =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly reason: AuthFailure };

export type AuthFailure =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'wrong-secret'
  | 'revoked'
  | 'expired'
  | 'unknown-agent';

/** The headers that may carry a key, as `node:http` returns them. */
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

/** Credential in the headers of a message: public id of a key and hash of its secret, or why there is none. */
type PresentedCredential = { readonly id: string; readonly secretHash: Uint8Array } | 'missing' | 'malformed';

/** Last headers of each connection, with the credential in them. */
const credentialByConnection = new WeakMap<
  object,
  { readonly headers: AuthHeaders; readonly credential: PresentedCredential }
>();

/**
 * Authenticates a message by its API key, in `Authorization: Bearer` (RFC 6750 §2.1) or `x-api-key`; if both are present
 * they must be equal. Fails closed. Repeated headers of one `connection` are hashed once, but the key is looked up and
 * checked for every message.
 */
export function authenticate(headers: AuthHeaders, verifier: Verifier, connection?: object): AuthResult {
  const credential = connection === undefined ? parseCredential(headers) : cachedCredential(headers, connection);
  if (typeof credential === 'string') return { ok: false, reason: credential };
  const record = verifier.keyOf(credential.id);
  // The hash is compared for an unknown id too, so that both cases take the same time.
  const matches = hashesMatch(credential.secretHash, record?.secretHash ?? NO_KEY_HASH);
  if (!record) return { ok: false, reason: 'unknown-key' };
  if (!matches) return { ok: false, reason: 'wrong-secret' };
  if (record.revokedAtMs !== undefined) return { ok: false, reason: 'revoked' };
  if (record.expiresAtMs !== undefined && record.expiresAtMs <= verifier.clock.wallMs())
    return { ok: false, reason: 'expired' };
  const agent = verifier.agentOf(record.agent);
  if (!agent) return { ok: false, reason: 'unknown-agent' };
  return { ok: true, principal: createPrincipal(agent, { by: 'api-key', credentialId: record.id }) };
}

function cachedCredential(
  { authorization, 'x-api-key': apiKey }: AuthHeaders,
  connection: object,
): PresentedCredential {
  const last = credentialByConnection.get(connection);
  // A connection can only reuse its own credential.
  if (last !== undefined && last.headers.authorization === authorization && last.headers['x-api-key'] === apiKey) {
    return last.credential;
  }
  const headers = { authorization, 'x-api-key': apiKey };
  const credential = parseCredential(headers);
  credentialByConnection.set(connection, { headers, credential });
  return credential;
}

function parseCredential(headers: AuthHeaders): PresentedCredential {
  const key = apiKeyFrom(headers);
  if (key === undefined) return 'missing';
  const parts = parseApiKey(key);
  return parts === undefined ? 'malformed' : { id: parts.id, secretHash: hashSecret(parts.secret) };
}

function apiKeyFrom(headers: AuthHeaders): string | undefined {
  const apiKey = headers['x-api-key'];
  const bearer =
    headers.authorization === undefined ? undefined : (/^Bearer ([^\s]+)$/i.exec(headers.authorization)?.[1] ?? '');
  if (apiKey === undefined) return bearer;
  if (typeof apiKey !== 'string') return '';
  return bearer === undefined || bearer === apiKey ? apiKey : '';
}
