declare const verified: unique symbol;

/** How a principal was proved: an API key, or the operating-system user that holds the data directory's socket. */
export type ProofKind = 'api-key' | 'os-user';

/**
 * Who acts, after authentication. A type that only a verifier can make: `identity/` holds the one constructor,
 * and `test/architecture.test.ts` fails when another room makes one.
 */
export interface Principal {
  readonly [verified]: true;
  /** `agent:<name>`, the name of a file in `registry/agents/`. */
  readonly id: `agent:${string}`;
  readonly owner: string;
  readonly team?: string;
  readonly costCenter?: string;
  readonly environment?: string;
  readonly proof: ProofKind;
  /** What proved it: the key's id, or `uid:<number>`. Never a secret. */
  readonly credentialId: string;
}

/** The name of an agent that a person typed, with `agent:` before it or without. */
export function parseAgentName(typed: string): string {
  return typed.replace(/^agent:/, '');
}

/** The id of an agent that a person typed, with `agent:` before it or without. */
export function parseAgentId(typed: string): `agent:${string}` {
  return `agent:${parseAgentName(typed)}`;
}
