import { createInterface } from 'node:readline/promises';
import { visibleText } from '../lib/visible-text.ts';

/** True where a person can be asked: questions go to standard error, answers come from standard input. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for a yes or no. Nothing but a yes is one; the end of the input is none. */
export async function askYes(question: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
  const answer = await askText(`${question} [y/N] `, { signal });
  return /^(?:y|yes)$/i.test(answer.trim());
}

/** Asks for one of several words. Default: the first; anything else is asked again. */
export async function askChoice(
  question: string,
  choices: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<string> {
  const [first = ''] = choices;
  for (;;) {
    const answer = (await askText(`${question} (${choices.join(', ')}) [${first}] `, { signal })).trim();
    if (answer === '') return first;
    if (choices.includes(answer)) return answer;
  }
}

async function askText(question: string, { signal }: { readonly signal: AbortSignal }): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // While a line is edited the terminal sends Ctrl-C as a letter; it shall mean the same as elsewhere.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(visibleText(question), { signal }), ended]);
  } catch (error) {
    // The reason of the abort, and not that something was aborted.
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
