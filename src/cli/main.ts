#!/usr/bin/env node
import { receiveSignals, serveInThread, shouldServeInThread } from './daemon/serve-in-thread.ts';

const argv = process.argv.slice(2);

/** Loaded only where a command runs: beside the thread that serves, the main thread needs no part of the program. */
const commandLine = (): Promise<typeof import('./command-line.ts')> => import('./command-line.ts');

// An exception outside of any await leaves unknown state: exit.
process.on('uncaughtException', async (error) => process.exit((await commandLine()).reportFailure(error, argv)));

receiveSignals();
if (shouldServeInThread(argv)) {
  serveInThread(argv, async (error) => (await commandLine()).reportFailure(error, argv));
} else {
  process.exitCode = await (await commandLine()).runCommandLine(argv);
}
