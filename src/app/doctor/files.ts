import { ungrantedViews } from '../queries/check-files.ts';
import { policyWarnings, runPolicyTests } from '../queries/policy.ts';
import { type Check, NO_FINDINGS } from './check.ts';

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
