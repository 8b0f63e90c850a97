import type { Problem } from '../../domain/problem.ts';
import { globMatches } from '../../lib/text/glob.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import { ungrantedViews } from '../queries/check-files.ts';
import { type PolicyFiles, policyWarnings, runPolicyTests } from '../queries/policy.ts';
import { type Check, NO_FINDINGS } from './check.ts';
import { storedKeys } from './keys.ts';

/** Checks that registry and policies load, and lints the policies. */
export const filesCheck: Check = {
  name: 'files',
  run: ({ settings, files: loaded, problems }) => {
    if (!loaded) return { findings: problems };
    const { registry, rules, known } = loaded;
    return {
      // The servers check reports names in virtual servers that no server has.
      findings: [...problems, ...registry.warnings, ...policyWarnings(loaded, settings), ...ungrantedViews(loaded)],
      facts: { servers: known.servers.length, agents: known.agents.length, grants: rules.policySet.rows.length },
    };
  },
};

/** Runs the policy tests: while one fails, a broker neither starts nor reloads. */
export const policyTestsCheck: Check = {
  name: 'policy tests',
  run: ({ settings, files }) => {
    if (!files) return NO_FINDINGS;
    const { checked, failures } = runPolicyTests(settings);
    return { findings: failures, facts: { policyTests: checked } };
  },
};

/** Checks that every secret reference resolves, and that other users cannot read the files behind them. */
export const secretsCheck: Check = {
  name: 'secrets',
  run: ({ secrets: problems }) => ({ findings: problems.map(({ problem }) => problem) }),
};

/** Checks that every declared agent has a grant and, if keys are in use, a key. */
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
        // If no agent has a key, agents connect over stdio, which needs none.
        ...(agentsWithKey.size === 0 ? [] : names.filter((name) => !agentsWithKey.has(name))).map((name) =>
          withoutKey(name, settings.registry),
        ),
        ...withoutAnyGrant.map((name) => withoutGrant(name, settings.registry)),
      ],
    };
  },
};

/** True if a row allows the agent anything, under any condition: the tools of a server may not be known yet. */
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
    message: `agent:${name} has no key: it can connect over stdio, but not over HTTP`,
    hint: `create a key with \`seneschal keys create agent:${name}\``,
    severity: 'warning',
  };
}

function withoutGrant(name: string, registry: string): Problem {
  return {
    code: 'doctor-agent-without-grant',
    at: `${registry}/agents/${name}.yaml`,
    message: `no grant applies to agent:${name}, its roles or its team: it may call nothing`,
    hint: `see why with \`seneschal policy list --as agent:${name} --all\`, or remove the file`,
    severity: 'warning',
  };
}
