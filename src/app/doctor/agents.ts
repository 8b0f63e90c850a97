import type { Problem } from '../../domain/problem.ts';
import { globMatches } from '../../lib/glob.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import type { PolicyFiles } from '../policy-questions.ts';
import { type Check, NO_FINDINGS } from './check.ts';
import { storedKeys } from './keys.ts';

/** Every agent that is declared may do something, and where keys are in use has one. */
export const agentsCheck: Check = {
  name: 'agents',
  run: ({ settings, files, clock }) => {
    if (!files) return NO_FINDINGS;
    const nowMs = clock.wallMs();
    const agentsWithKey = new Set(
      storedKeys(settings)
        .filter(
          ({ revokedAtMs, expiresAtMs = Number.POSITIVE_INFINITY }) => revokedAtMs === undefined && expiresAtMs > nowMs,
        )
        .map(({ agent }) => agent),
    );
    const names = [...files.registry.agents.keys()].sort();
    const withoutAnyGrant = names.filter((name) => !hasGrant(name, files));
    return {
      findings: [
        // Where nobody has a key, agents come over stdio, which needs none.
        ...(agentsWithKey.size === 0 ? [] : names.filter((name) => !agentsWithKey.has(name))).map((name) =>
          withoutKey(name, settings.registry),
        ),
        ...withoutAnyGrant.map((name) => withoutGrant(name, settings.registry)),
      ],
    };
  },
};

/** Whether a row allows it anything, under whatever condition: a server whose tools nobody knows yet may have some. */
function hasGrant(name: string, { rules: { policySet }, registry }: PolicyFiles): boolean {
  const team = registry.agents.get(name)?.team;
  const subjects = principalSubjects(policySet, { id: `agent:${name}`, ...(team === undefined ? {} : { team }) });
  return policySet.rows.some(
    (row) => row.effect === 'allow' && subjects.some((subject) => globMatches(row.subject, subject)),
  );
}

function withoutKey(name: string, registry: string): Problem {
  return {
    code: 'doctor-agent-without-key',
    at: `${registry}/agents/${name}.yaml`,
    message: `agent:${name} has no key: it can come over stdio and not over HTTP`,
    hint: `make one with \`seneschal keys create agent:${name}\``,
    severity: 'warning',
  };
}

function withoutGrant(name: string, registry: string): Problem {
  return {
    code: 'doctor-agent-without-grant',
    at: `${registry}/agents/${name}.yaml`,
    message: `no grant is for agent:${name}, its roles or its team: it may call nothing`,
    hint: `see why with \`seneschal policy list --as agent:${name} --all\`, or take the file out`,
    severity: 'warning',
  };
}
