import { createInterface } from 'node:readline/promises';
import { ProblemError } from '../../domain/problem.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';

/** True on a terminal: prompts go to standard error, and replies come from standard input. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Prompts for yes or no. Only `y` and `yes` mean yes; the end of the input means no. */
export async function promptYesNo(question: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
  const answer = await promptText(`${question} [y/N] `, { signal });
  return /^(?:y|yes)$/i.test(answer.trim());
}

/** Prompts for one of several words. Default: the first. Prompts again for any other word. */
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
  // While a line is edited, readline receives Ctrl-C as a key; it must interrupt the program as elsewhere.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(escapeControlCharacters(question), { signal }), ended]);
  } catch (error) {
    // Throw the reason of the abort instead of readline's AbortError.
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}

/**
 * Asks for confirmation: true with `--yes`, else the reply on the terminal.
 * @throws ProblemError `registry-not-agreed` without `--yes` and without a terminal.
 */
export async function confirm(
  question: string,
  { yes, signal }: { readonly yes: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  if (yes) return true;
  if (!canPrompt()) throw notConfirmed();
  return promptYesNo(question, { signal });
}

/** Checks in advance that `confirm` can prompt. @throws ProblemError `registry-not-agreed`. */
export function requireInteractive({ yes }: { readonly yes: boolean }): void {
  if (!yes && !canPrompt()) throw notConfirmed();
}

function notConfirmed(): ProblemError {
  const message = 'this needs a confirmation, and there is no terminal to ask on; nothing was written';
  return new ProblemError([
    { code: 'registry-not-agreed', at: '--yes', message, hint: 'add `--yes`, or run the command on a terminal' },
  ]);
}
