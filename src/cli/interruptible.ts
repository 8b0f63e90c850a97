import { EXIT, type ExitCode } from './exit-codes.ts';
import { say } from './output.ts';

/**
 * Does work that a Ctrl-C or SIGTERM ends through `signal`, so that what it started is ended with it. A second signal
 * ends the program at once.
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<ExitCode>): Promise<ExitCode> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Error('interrupted'));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    say('interrupted; nothing was written');
    return EXIT.interrupted;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
