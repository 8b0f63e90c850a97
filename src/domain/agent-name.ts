/** The name of an agent that a person typed, with `agent:` before it or without. */
export function parseAgentName(typed: string): string {
  return typed.replace(/^agent:/, '');
}

/** The id of an agent that a person typed, with `agent:` before it or without. */
export function parseAgentId(typed: string): `agent:${string}` {
  return `agent:${parseAgentName(typed)}`;
}
