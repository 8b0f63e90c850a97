import type { Principal } from '../../domain/principal.ts';

/** The headers that may carry a proof, as `node:http` gives them. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

/**
 * Proves who sent a message on a connection. Anything but `ok: true` with a principal is nobody, and so is a throw.
 * Synchronous.
 */
export type AuthenticateRequest = (
  headers: CredentialHeaders,
  connection: object,
) => { readonly ok: true; readonly principal: Principal } | { readonly ok: false };
