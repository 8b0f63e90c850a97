/**
 * The text of the first `limits.yaml` of a home: wide enough for one busy agent, and an end to one that runs in a
 * circle. Costs are not in it, since nobody has said yet what a call costs.
 */
export function defaultLimitsText(): string {
  return `# yaml-language-server: $schema=../registry/schema/limits.schema.json
rates:
  - { subject: "agent:*", resource: "tool:*", action: call, limit: 120/m, burst: 30 }
concurrency:
  - { subject: "agent:*", resource: "tool:*", limit: 8 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 5000 }, soft: 80% }
`;
}
