/** The name of an agent that a person typed, with `agent:` before it or without. */
export function agentNameOf(typed: string): string {
  return typed.replace(/^agent:/, '');
}

/** The id of an agent that a person typed, with `agent:` before it or without. */
export function agentIdOf(typed: string): `agent:${string}` {
  return `agent:${agentNameOf(typed)}`;
}
