import type { Principal, ProofKind } from '../domain/principal.ts';

/** What `registry/agents/<name>.yaml` says of an agent, as far as a principal carries it. */
export interface DeclaredAgent {
  readonly name: string;
  readonly owner: string;
  readonly team?: string | undefined;
  readonly costCenter?: string | undefined;
  readonly environment?: string | undefined;
}

/** Finds a declared agent by name; undefined when no file declares it. */
export type AgentLookup = (name: string) => DeclaredAgent | undefined;

/** By declaration and by what proved it: a registry that is read again declares anew, and so makes new principals. */
const cachedPrincipals = new WeakMap<DeclaredAgent, Map<string, Principal>>();

/** Makes the principal of a proved agent. Called by the verifiers of this room and by nothing else. */
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
  // The one constructor of the branded type: what is proved above becomes a principal here and nowhere else.
  const principal = Object.freeze(fields) as Principal;
  if (cached) cached.set(key, principal);
  else cachedPrincipals.set(agent, new Map([[key, principal]]));
  return principal;
}

type Verified = { readonly [K in keyof Principal as K extends symbol ? K : never]: Principal[K] };

/**
 * The principal of an agent that came through the data directory's Unix socket. The proof is the operating system's:
 * socket and directory are open to one user only, so whoever connects is that user.
 * @returns undefined when no file of the registry declares the agent.
 */
export function principalForOsUser(agentName: string, uid: number, agentOf: AgentLookup): Principal | undefined {
  const agent = agentOf(agentName);
  return agent && createPrincipal(agent, { by: 'os-user', credentialId: `uid:${uid}` });
}

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
