/** Thrown after Ctrl-C, when the command has closed everything that it opened. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/**
 * Runs an action that must clean up, such as one that starts tool servers. Ctrl-C aborts the signal of the action; a
 * second Ctrl-C ends the program at once.
 * @throws InterruptedError instead of the error of an aborted action.
 */
export async function interruptible<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new InterruptedError());
  process.once('SIGINT', stop);
  try {
    return await act(controller.signal);
  } finally {
    process.off('SIGINT', stop);
  }
}
