import type { Principal } from '../domain/principal.ts';
import { type AgentLookup, createPrincipal } from './mint-principal.ts';

/**
 * The principal of an agent that came through the data directory's Unix socket. The proof is the operating system's:
 * socket and directory are open to one user only, so whoever connects is that user.
 * @returns undefined when no file of the registry declares the agent.
 */
export function principalForOsUser(agentName: string, uid: number, agentOf: AgentLookup): Principal | undefined {
  const agent = agentOf(agentName);
  return agent && createPrincipal(agent, { by: 'os-user', credentialId: `uid:${uid}` });
}
