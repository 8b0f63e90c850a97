// Measures the cost of one decision with different numbers of grants. Sends the medians of many short rounds, in
// microseconds.
import { loadPolicySet } from '../src/policy/load.ts';
import type { PolicySet } from '../src/policy/policy-set.ts';
import { argument, median, say } from './part.ts';

/** Cost of a decision with a number of grants. */
export interface DecisionCost {
  readonly grants: number;
  readonly loadMs: number;
  /** A new request: the index selects the grants, and Casbin decides. */
  readonly firstUs: number;
  /** `firstUs` divided by that of the smallest size in the same round, because the speed of the machine varies. */
  readonly ratio: number;
  /** The same request again. */
  readonly againUs: number;
}

const GRANTS_PER_ROLE = 10;
const AGENT_COUNT = 10;
const { sizes, rounds, decisions } = argument<{ sizes: number[]; rounds: number; decisions: number }>();

/** Every agent has three roles of ten grants each. Only the grants of other agents grow with the size. */
function policyText(grants: number): string {
  const roles = grants / GRANTS_PER_ROLE;
  const lines: string[] = [];
  for (let grant = 0; grant < grants; grant += 1) {
    const role = Math.floor(grant / GRANTS_PER_ROLE);
    const object = grant % 5 === 0 ? `tool:s${role}/read_*` : `tool:s${role}/t${grant % GRANTS_PER_ROLE}`;
    lines.push(`p, role:r${role}, ${object}, call, , ${grant % 10 === 9 ? 'deny' : 'allow'}`);
  }
  for (let agent = 0; agent < roles; agent += 1) {
    for (let held = 0; held < 3; held += 1) lines.push(`g, agent:a${agent}, role:r${(agent + held) % roles}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Microseconds per decision, of new requests and then of the same ones again. */
function measure(set: PolicySet, roles: number, round: number): { readonly firstUs: number; readonly againUs: number } {
  const requests = Array.from({ length: decisions }, (_, index) => {
    const agent = Math.floor(((index % AGENT_COUNT) * roles) / AGENT_COUNT);
    return { subjects: [`agent:a${agent}`], object: `tool:s${agent}/read_${round}_${index}`, action: 'call' };
  });
  const passUs = (): number => {
    const startedMs = performance.now();
    let allowed = 0;
    for (const request of requests) if (set.decide(request, () => 'true').allowed) allowed += 1;
    if (allowed !== decisions) throw new Error('a request of the bench was denied');
    return ((performance.now() - startedMs) * 1_000) / decisions;
  };
  return { firstUs: passUs(), againUs: passUs() };
}

const sets = sizes.map((grants) => {
  const text = policyText(grants);
  const startedMs = performance.now();
  const set = loadPolicySet({ 'policy.csv': text });
  return { grants, set, loadMs: performance.now() - startedMs, first: [] as number[], again: [] as number[] };
});
for (let round = 0; round <= rounds; round += 1) {
  // The order alternates, so that no size always comes after the largest.
  for (const { set, grants, first, again } of round % 2 === 0 ? sets : sets.toReversed()) {
    const { firstUs, againUs } = measure(set, grants / GRANTS_PER_ROLE, round);
    // The first round warms up.
    if (round === 0) continue;
    first.push(firstUs);
    again.push(againUs);
  }
}
const least = sets[0]?.first ?? [];
say(
  sets.map(({ grants, loadMs, first, again }) => ({
    grants,
    loadMs,
    firstUs: median(first),
    againUs: median(again),
    ratio: median(first.map((firstUs, round) => firstUs / (least[round] ?? Number.NaN))),
  })),
);
