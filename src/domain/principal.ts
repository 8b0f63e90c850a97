declare const verified: unique symbol;

/** Proof of a principal: an API key, or the operating-system user on the socket of the data directory. */
export type ProofKind = 'api-key' | 'os-user';

/**
 * Authenticated caller. Only `identity/` constructs one; `test/architecture.test.ts` fails if another module does.
 */
export interface Principal {
  readonly [verified]: true;
  /** `agent:<name>`; the name is that of a file in `registry/agents/`. */
  readonly id: `agent:${string}`;
  readonly owner: string;
  readonly team?: string;
  readonly costCenter?: string;
  readonly environment?: string;
  readonly proof: ProofKind;
  /** Id of the key, or `uid:<number>`. Never a secret. */
  readonly credentialId: string;
}

/** Parses the name of an agent that a person typed, with or without `agent:`. */
export function parseAgentName(typed: string): string {
  return typed.replace(/^agent:/, '');
}

/** Parses the id of an agent that a person typed, with or without `agent:`. */
export function parseAgentId(typed: string): `agent:${string}` {
  return `agent:${parseAgentName(typed)}`;
}
