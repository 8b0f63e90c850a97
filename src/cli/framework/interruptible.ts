/** A person has ended what a command was doing with Ctrl-C; everything that it held has been closed. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/**
 * Does something that has others to close, such as processes of tool servers: Ctrl-C aborts the signal that it is
 * handed, and a second one ends the program at once, as the system does it.
 * @throws InterruptedError in place of what an aborted act throws.
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
