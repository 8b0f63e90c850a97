import type { Principal, ProofKind } from '../domain/principal.ts';

/** The declaration of an agent in `registry/agents/<name>.yaml`, as far as a principal carries it. */
export interface DeclaredAgent {
  readonly name: string;
  readonly owner: string;
  readonly team?: string | undefined;
  readonly costCenter?: string | undefined;
  readonly environment?: string | undefined;
}

/** Finds a declared agent by name. Returns undefined if no file declares it. */
export type AgentLookup = (name: string) => DeclaredAgent | undefined;

/** Principals by declaration and credential. Reloading the registry creates new declarations, and thus new principals. */
const cachedPrincipals = new WeakMap<DeclaredAgent, Map<string, Principal>>();

/** Creates the principal of an authenticated agent. Only the verifiers of `identity` call it. */
export function createPrincipal(
  agent: DeclaredAgent,
  authenticated: { readonly by: Principal['proof']; readonly credentialId: string },
): Principal {
  const key = `${authenticated.by} ${authenticated.credentialId}`;
  const cached = cachedPrincipals.get(agent);
  const known = cached?.get(key);
  if (known) return known;
  const fields: Omit<Principal, keyof Verified> = {
    id: `agent:${agent.name}`,
    owner: agent.owner,
    ...(agent.team === undefined ? {} : { team: agent.team }),
    ...(agent.costCenter === undefined ? {} : { costCenter: agent.costCenter }),
    ...(agent.environment === undefined ? {} : { environment: agent.environment }),
    proof: authenticated.by,
    credentialId: authenticated.credentialId,
  };
  // `as`: the only constructor of the branded type.
  const principal = Object.freeze(fields) as Principal;
  if (cached) cached.set(key, principal);
  else cachedPrincipals.set(agent, new Map([[key, principal]]));
  return principal;
}

type Verified = { readonly [K in keyof Principal as K extends symbol ? K : never]: Principal[K] };

/**
 * Creates the principal of an agent on the Unix socket of the data directory. The operating system authenticates it: only
 * one user has access to socket and directory, so every client is a process of that user.
 * @returns undefined if no file of the registry declares the agent.
 */
export function principalForOsUser(agentName: string, uid: number, agentOf: AgentLookup): Principal | undefined {
  const agent = agentOf(agentName);
  return agent && createPrincipal(agent, { by: 'os-user', credentialId: `uid:${uid}` });
}

/**
 * Restores the principal of a recorded call for replay. It was authenticated when the call was made. It grants no access
 * now, because replay cannot reach any tool.
 */
export function restorePrincipal(recorded: {
  readonly principal: string;
  readonly credential: { readonly id: string; readonly proof: ProofKind };
}): Principal {
  const { principal, credential } = recorded;
  const agent = { name: principal.replace(/^agent:/, ''), owner: '' };
  return createPrincipal(agent, { by: credential.proof, credentialId: credential.id });
}
