import { checkRules } from '../policy-questions.ts';
import type { Check } from './check.ts';

/** Registry and policies load, and the linter of policies has nothing to say. */
export const files: Check = {
  name: 'files',
  run: ({ settings, files: loaded, problems }) => {
    if (!loaded) return { findings: problems };
    const { registry, rules, known } = loaded;
    return {
      findings: [...problems, ...registry.warnings, ...checkRules(settings)],
      facts: { servers: known.servers.length, agents: known.agents.length, grants: rules.policySet.rows.length },
    };
  },
};
