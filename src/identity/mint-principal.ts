import type { Principal } from '../domain/principal.ts';

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

/** Makes the principal of a proved agent. Called by the verifiers of this room and by nothing else. */
export function mintPrincipal(
  agent: DeclaredAgent,
  proved: { readonly by: Principal['proof']; readonly credentialId: string },
): Principal {
  const fields: Omit<Principal, keyof VerifiedMark> = {
    id: `agent:${agent.name}`,
    owner: agent.owner,
    ...(agent.team === undefined ? {} : { team: agent.team }),
    ...(agent.costCenter === undefined ? {} : { costCenter: agent.costCenter }),
    ...(agent.environment === undefined ? {} : { environment: agent.environment }),
    proof: proved.by,
    credentialId: proved.credentialId,
  };
  // The one constructor of the branded type: what is proved above becomes a principal here and nowhere else.
  return Object.freeze(fields) as Principal;
}

type VerifiedMark = { readonly [K in keyof Principal as K extends symbol ? K : never]: Principal[K] };
