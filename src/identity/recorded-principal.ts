import type { Principal, ProofKind } from '../domain/principal.ts';
import { createPrincipal } from './mint-principal.ts';

/**
 * The principal of a recorded call, for deciding it again from recorded facts. It was proved when the call was made; it
 * opens nothing now, for replay has no way to any tool.
 */
export function restorePrincipal(recorded: {
  readonly principal: string;
  readonly credential: { readonly id: string; readonly proof: ProofKind };
}): Principal {
  const { principal, credential } = recorded;
  const agent = { name: principal.replace(/^agent:/, ''), owner: '' };
  return createPrincipal(agent, { by: credential.proof, credentialId: credential.id });
}
