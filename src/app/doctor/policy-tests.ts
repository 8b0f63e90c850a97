import { testRules } from '../policy-questions.ts';
import { type Check, NOTHING } from './check.ts';

/** What must stay true is true: a broker does not start, and does not reload, while it is not. */
export const policyTests: Check = {
  name: 'policy tests',
  run: ({ settings, files }) => {
    if (!files) return NOTHING;
    const { checked, failures } = testRules(settings);
    return { findings: failures, facts: { policyTests: checked } };
  },
};
