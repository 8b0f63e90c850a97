import fc from 'fast-check';
import type { Principal } from '../../src/domain/principal.ts';
import { createPrincipal } from '../../src/identity/principal.ts';
import type { JsonObject } from '../../src/lib/json/json.ts';
import type { ConditionResult, ConditionScope } from '../../src/policy/conditions/condition.ts';

/** One `p` row, before it is written. */
export interface GeneratedGrant {
  readonly subject: string;
  readonly object: string;
  readonly action: string;
  readonly when: string;
  readonly effect: 'allow' | 'deny';
}

/** A policy, as rows and as the text of its file. */
export interface GeneratedPolicy {
  readonly grants: readonly GeneratedGrant[];
  readonly roleLinks: readonly (readonly [string, string])[];
  readonly setLinks: readonly (readonly [string, string])[];
  readonly csv: string;
}

const principalOf = (name: string, team?: string): Principal =>
  createPrincipal({ name, owner: 'ana', team }, { by: 'api-key', credentialId: 'k' });

export const PRINCIPALS: readonly Principal[] = [principalOf('a', 't'), principalOf('ab', 'u'), principalOf('b')];
export const OBJECTS: readonly string[] = ['tool:x/a', 'tool:x/ab', 'tool:X/a', 'tool:y/a', 'resource:x/mem:a'];
export const ACTIONS_ASKED: readonly string[] = ['call', 'read'];
const ROLES = ['role:r0', 'role:r1', 'role:r2', 'role:r3'];
const SETS = ['set:s0', 'set:s1', 'set:s2'];
const SUBJECTS = ['agent:a', 'agent:b', 'agent:*', 'agent:a*', 'team:t', ...ROLES];
const PATTERNS = [...OBJECTS, 'tool:*', 'tool:x/*', 'tool:x/a*', 'tool:*/a', 'tool:*b', 'resource:*', ...SETS];

/** Conditions of which each outcome can be had without the others, and what they mean, written a second time. */
export const CONDITIONS: Readonly<Record<string, (args: JsonObject, team: string | undefined) => ConditionResult>> = {
  'args.n <= 1': ({ n }) => (typeof n === 'number' ? notify(n <= 1) : 'error'),
  "args.s == 'x'": ({ s }) => (s === undefined ? 'error' : typeof s === 'string' ? notify(s === 'x') : 'error'),
  "principal.team == 't'": (_, team) => (team === undefined ? 'error' : notify(team === 't')),
};

const notify = (truth: boolean): ConditionResult => (truth ? 'true' : 'false');

/** Arguments among which every outcome of every condition is found. */
export const ARGUMENTS: readonly JsonObject[] = [1, 2, 'one', undefined].flatMap((n) =>
  ['x', 'y', undefined].map((s) => ({ ...(n === undefined ? {} : { n }), ...(s === undefined ? {} : { s }) })),
);

/** The scope in which a call of that principal is judged. */
export function scopeOf(principal: Principal, args: JsonObject): ConditionScope {
  const { id, owner, team, proof } = principal;
  return {
    ...{ args, nowMs: 0, context: { transport: 'http', protocolVersion: '2025-11-25' } },
    principal: { agent: id, owner, proof, ...(team === undefined ? {} : { team }) },
    target: { server: 'x', kind: 'tool', name: 'a', tool: 'a', risk: 'write', labels: [] },
  };
}

const grant: fc.Arbitrary<GeneratedGrant> = fc.record({
  subject: fc.constantFrom(...SUBJECTS),
  object: fc.constantFrom(...PATTERNS),
  action: fc.constantFrom('call', 'call', 'read', '*'),
  when: fc.constantFrom('', '', ...Object.keys(CONDITIONS)),
  effect: fc.constantFrom('allow', 'allow', 'deny'),
});

/** Pairs `[lower, higher]`, so that no circle can arise. */
function nesting(groups: readonly string[]): fc.Arbitrary<readonly (readonly [string, string])[]> {
  const pairs = groups.flatMap((lower, index) => groups.slice(index + 1).map((higher) => [lower, higher] as const));
  return fc.subarray(pairs, { maxLength: 3 });
}

function members(
  ids: readonly string[],
  groups: readonly string[],
): fc.Arbitrary<readonly (readonly [string, string])[]> {
  const pairs = ids.flatMap((id) => groups.map((group) => [id, group] as const));
  return fc.subarray(pairs, { maxLength: 4 });
}

/** Policies of up to a dozen rows over few ids, so rows often match the same request. */
export const policy: fc.Arbitrary<GeneratedPolicy> = fc
  .record({
    grants: fc.array(grant, { maxLength: 12 }),
    roles: members(['agent:a', 'agent:ab', 'agent:b'], ROLES),
    nestedRoles: nesting(ROLES),
    sets: members(OBJECTS, SETS),
    nestedSets: nesting(SETS),
  })
  .map(({ grants, roles, nestedRoles, sets, nestedSets }) => {
    // Members that no test uses, so a row names every role and every set.
    const roleLinks = [...roles, ...nestedRoles, ...ROLES.map((role) => ['agent:unused', role] as const)];
    const setLinks = [...sets, ...nestedSets, ...SETS.map((set) => ['tool:no/thing', set] as const)];
    const csv = [
      ...grants.map((row) => `p, ${row.subject}, ${row.object}, ${row.action}, ${quoted(row.when)}, ${row.effect}`),
      ...roleLinks.map(([member, role]) => `g, ${member}, ${role}`),
      ...setLinks.map(([member, set]) => `g2, ${member}, ${set}`),
    ].join('\n');
    return { grants, roleLinks, setLinks, csv };
  });

const quoted = (when: string): string => (when === '' ? '' : `"${when.replaceAll('"', '""')}"`);
