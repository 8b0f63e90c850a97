#!/usr/bin/env node
import type * as CommandLine from './command-line.ts';
import { receiveSignals, serveInThread, shouldServeInThread } from './daemon/serve-in-thread.ts';

const argv = process.argv.slice(2);

/** Loaded only where a command runs: beside the thread that serves, the main thread needs no part of the program. */
const commandLine = (): Promise<typeof CommandLine> => import('./command-line.ts');

async function endWithFailure(error: unknown): Promise<void> {
  const { reportFailure } = await commandLine();
  process.exit(reportFailure(error, argv));
}

// An exception outside of any await leaves unknown state: exit.
process.on('uncaughtException', (error) => void endWithFailure(error));

receiveSignals();
if (shouldServeInThread(argv)) {
  serveInThread(argv, (error) => void endWithFailure(error));
} else {
  process.exitCode = await (await commandLine()).runCommandLine(argv);
}
