#!/usr/bin/env node
import { Command } from 'commander';
import { ProblemError } from '../domain/problem.ts';
import { registerKeys } from './commands/keys.ts';
import { registerLedger } from './commands/ledger.ts';
import { registerPolicy } from './commands/policy.ts';
import { registerRegistry } from './commands/registry.ts';
import { registerReplay } from './commands/replay.ts';
import { registerServe } from './commands/serve.ts';
import { registerStdio } from './commands/stdio.ts';
import { EXIT } from './exit-codes.ts';
import { exitCodeOf, say, sayProblems } from './output.ts';
import { VERSION } from './version.ts';

const program = new Command('seneschal')
  .description('A tool-governance broker for AI agents: one MCP server in front of all the others.')
  .version(VERSION)
  .showHelpAfterError('hint: run `seneschal --help`')
  .exitOverride((error) => {
    // Help and version are answers; every other ending of the parser is wrong usage.
    process.exitCode = error.exitCode === 0 ? EXIT.yes : EXIT.usage;
    throw error;
  });

for (const register of [
  registerServe,
  registerStdio,
  registerPolicy,
  registerRegistry,
  registerKeys,
  registerLedger,
  registerReplay,
]) {
  register(program);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ProblemError) {
    sayProblems(error.problems, process.argv.includes('json') ? 'json' : 'text');
    process.exitCode = exitCodeOf(error);
  } else if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('commander.'))) {
    say(`${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = EXIT.failed;
  }
}
