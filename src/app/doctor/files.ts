import { ungrantedViews } from '../queries/check-files.ts';
import { policyWarnings, runPolicyTests } from '../queries/policy.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** Registry and policies load, and the linter of policies has nothing to say. */
export const filesCheck: Check = {
  name: 'files',
  run: ({ settings, files: loaded, problems }) => {
    if (!loaded) return { findings: problems };
    const { registry, rules, known } = loaded;
    return {
      // What a virtual server names and no server has is said where the servers are asked.
      findings: [...problems, ...registry.warnings, ...policyWarnings(loaded, settings), ...ungrantedViews(loaded)],
      facts: { servers: known.servers.length, agents: known.agents.length, grants: rules.policySet.rows.length },
    };
  },
};

/** What must stay true is true: a broker does not start, and does not reload, while it is not. */
export const policyTestsCheck: Check = {
  name: 'policy tests',
  run: ({ settings, files }) => {
    if (!files) return NO_FINDINGS;
    const { checked, failures } = runPolicyTests(settings);
    return { findings: failures, facts: { policyTests: checked } };
  },
};

/** Every secret reference leads to a secret, and to no file that others can read. */
export const secretsCheck: Check = {
  name: 'secrets',
  run: ({ secrets: problems }) => ({ findings: problems.map(({ problem }) => problem) }),
};
