import type { Problem } from '../domain/problem.ts';
import { policyWarnings, readPolicyFiles } from './policy-questions.ts';
import type { Settings } from './settings.ts';
import { ungrantedViews, unknownMembers } from './virtual-warnings.ts';

/** Warnings of the policy files, and of the virtual servers that they are for. @throws ProblemError with every error. */
export function checkFiles(settings: Settings): readonly Problem[] {
  const files = readPolicyFiles(settings);
  return [...policyWarnings(files, settings), ...unknownMembers(files), ...ungrantedViews(files)];
}
