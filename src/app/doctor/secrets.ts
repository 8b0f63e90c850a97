import type { Check } from './check.ts';

/** Every secret reference leads to a secret, and to no file that others can read. */
export const secretsCheck: Check = {
  name: 'secrets',
  run: ({ secrets: problems }) => ({ findings: problems.map(({ problem }) => problem) }),
};
