import v8 from 'node:v8';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { mainPath } from './shim-command.ts';

/**
 * Young generation of the thread that serves, in MiB: three semi-spaces of 64. The default of 16 collects four times as
 * often, and each collection copies the calls in flight. Only a thread can be given it: V8 reads its flags before the
 * program starts. The figures are in docs/decisions/0009-what-a-record-costs.md.
 */
const YOUNG_GENERATION_MB = 192;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

/** True for the command line of a broker that serves, started by its built program. Sources need a loader per thread. */
export function shouldServeInThread(argv: readonly string[]): boolean {
  const asksHelp = argv.includes('--help') || argv.includes('-h');
  return isMainThread && argv[0] === 'serve' && !asksHelp && !mainPath().endsWith('.ts');
}

/**
 * Runs the program again in a thread with a large young generation. The exit code of the thread becomes that of the
 * process, and its signals reach the thread. A second signal of a kind ends the process as the system does. `onFailure`
 * gets the error that ended the thread, such as exhausted memory.
 */
export function serveInThread(argv: readonly string[], onFailure: (error: unknown) => void): void {
  const worker = new Worker(mainPath(), {
    argv: [...argv],
    name: 'serve',
    resourceLimits: {
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      maxOldGenerationSizeMb: Math.round(v8.getHeapStatistics().heap_size_limit / 2 ** 20),
    },
  });
  const endBySignal = (signal: Signal): void => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      process.once(signal, () => endBySignal(signal));
      worker.postMessage(signal);
    });
  }
  worker.on('message', (unhandled: Signal) => endBySignal(unhandled));
  worker.on('error', onFailure);
  worker.on('exit', (code) => {
    process.exitCode ??= code;
  });
}

/** In the thread that serves: raises the signals of the process here, and reports those that nothing handles. */
export function receiveSignals(): void {
  const port = parentPort;
  if (port === null) return;
  port.on('message', (signal: Signal) => {
    if (!process.emit(signal, signal)) port.postMessage(signal);
  });
  port.unref();
}
