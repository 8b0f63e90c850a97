#!/usr/bin/env node
import { reportFailure, runCommandLine } from './command-line.ts';
import { receiveSignals, serveInThread, shouldServeInThread } from './daemon/serve-in-thread.ts';

const argv = process.argv.slice(2);

// An exception outside of any await leaves unknown state: exit.
process.on('uncaughtException', (error) => process.exit(reportFailure(error, argv)));

receiveSignals();
if (shouldServeInThread(argv)) {
  serveInThread(argv, (error) => reportFailure(error, argv));
} else {
  process.exitCode = await runCommandLine(argv);
}
