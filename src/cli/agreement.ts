import { ProblemError } from '../domain/problem.ts';
import { canPrompt, promptYesNo } from './ask.ts';

/**
 * Whether a person agrees: by `--yes`, else by the answer on a terminal.
 * @throws ProblemError `registry-not-agreed` where nobody can be asked.
 */
export async function confirm(
  question: string,
  { yes, signal }: { readonly yes: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  if (yes) return true;
  if (!canPrompt()) throw notConfirmed();
  return promptYesNo(question, { signal });
}

/** Says early that nobody can be asked. @throws ProblemError `registry-not-agreed`. */
export function requireInteractive({ yes }: { readonly yes: boolean }): void {
  if (!yes && !canPrompt()) throw notConfirmed();
}

function notConfirmed(): ProblemError {
  const message = 'nobody can be asked here whether to go on; nothing was written';
  return new ProblemError([
    { code: 'registry-not-agreed', at: '--yes', message, hint: 'add `--yes`, or run it on a terminal' },
  ]);
}
