import { createInterface } from 'node:readline/promises';
import { ProblemError } from '../../domain/problem.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';

/** True where a person can be asked: questions go to standard error, answers come from standard input. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for a yes or no. Nothing but a yes is one; the end of the input is none. */
export async function promptYesNo(question: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
  const answer = await promptText(`${question} [y/N] `, { signal });
  return /^(?:y|yes)$/i.test(answer.trim());
}

/** Asks for one of several words. Default: the first; anything else is asked again. */
export async function promptChoice(
  question: string,
  choices: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<string> {
  const [defaultChoice = ''] = choices;
  for (;;) {
    const answer = (await promptText(`${question} (${choices.join(', ')}) [${defaultChoice}] `, { signal })).trim();
    if (answer === '') return defaultChoice;
    if (choices.includes(answer)) return answer;
  }
}

async function promptText(question: string, { signal }: { readonly signal: AbortSignal }): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // While a line is edited the terminal sends Ctrl-C as a letter; it shall mean the same as elsewhere.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(escapeControlCharacters(question), { signal }), ended]);
  } catch (error) {
    // The reason of the abort, and not that something was aborted.
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}

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
