import { runPolicyTests } from '../policy-questions.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** What must stay true is true: a broker does not start, and does not reload, while it is not. */
export const policyTestsCheck: Check = {
  name: 'policy tests',
  run: ({ settings, files }) => {
    if (!files) return NO_FINDINGS;
    const { checked, failures } = runPolicyTests(settings);
    return { findings: failures, facts: { policyTests: checked } };
  },
};
