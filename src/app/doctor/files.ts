import { policyWarnings } from '../policy-questions.ts';
import { ungrantedViews } from '../virtual-warnings.ts';
import type { Check } from './check.ts';

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
