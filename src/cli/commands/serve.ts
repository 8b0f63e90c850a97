import { resolve } from 'node:path';
import { type Daemon, startDaemon } from '../../app/daemon.ts';
import { systemClock } from '../../app/system.ts';
import { parseAgentName } from '../../domain/principal.ts';
import { ProblemError } from '../../domain/problem.ts';
import { jsonLog, textLog } from '../../telemetry/log.ts';
import { ownCommand } from '../daemon/shim-command.ts';
import { startupBanner } from '../format/startup-banner.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { parseCountFlag, parseDurationFlagMs } from '../framework/flags.ts';
import { printMessage } from '../framework/output.ts';
import { VERSION } from '../framework/version.ts';

export const serve: CommandDefinition = defineCommand({
  path: 'serve',
  summary: 'govern: listen for agents over HTTP and on the socket of the data directory',
  description: `Starts the broker in the foreground. It reads the registry and the policy, runs the policy tests, connects to the
    tool servers and serves agents until it is ended; files that change are read again by themselves. Its log goes to
    standard output, what a person needs to connect an agent to standard error.

    SIGTERM and Ctrl-C end it when the calls that are under way have ended; a second one ends it at once.`,
  flags: [
    {
      name: 'allow-host',
      value: 'name',
      description: 'a `Host` under which agents reach this broker; needed beyond loopback',
      repeatable: true,
    },
    {
      name: 'allow-origin',
      value: 'origin',
      description: 'an `Origin` that may call, for agents in browsers',
      repeatable: true,
    },
    {
      name: 'max-calls',
      value: 'number',
      description: 'calls of all agents together that may be under way; those beyond it are refused as `overloaded`',
      default: '1024',
    },
    {
      name: 'first-key',
      value: 'agent',
      description: 'make a key for this agent when there is no key yet, and print it once',
    },
    {
      name: 'question-expiry',
      value: 'duration',
      description: 'how long the question of a tool server waits for its answer',
      default: '10m',
    },
    {
      name: 'waiting-calls',
      value: 'number',
      description: 'how many calls of one agent may wait for answers at one time, 1 to 1000',
      default: '16',
    },
    {
      name: 'idle-exit',
      value: 'duration',
      description: 'end after so long without an agent on the socket',
      hidden: true,
    },
    { name: 'no-http', description: 'listen on the socket alone', hidden: true },
  ],
  settings: ['registry', 'policies', 'data', 'port', 'host'],
  exitCodes: {
    yes: 'it was asked to end by SIGTERM, and the calls under way were brought to their end',
    interrupted: 'it was ended by Ctrl-C, and the calls under way were brought to their end',
  },
  examples: [
    {
      title: 'Start the broker, and get a key for a first agent',
      line: 'seneschal serve --first-key agent:demo',
      runsUntil: 'stdio entry for agent:',
    },
    {
      title: 'Serve other machines under one name, behind a proxy that speaks TLS',
      line: 'seneschal serve --host 0.0.0.0 --allow-host tools.example.com',
      runsUntil: 'stdio entry for agent:',
    },
  ],
  run: async ({ flags, settings: readSettings, output }) => {
    const settings = readSettings();
    const log = output === 'json' ? jsonLog() : textLog((text) => process.stdout.write(text), systemClock);
    const daemon = await startDaemon(settings, {
      ...{ log, version: VERSION, env: process.env, http: !flags['no-http'] },
      ...{ allowedHosts: flags['allow-host'], allowedOrigins: flags['allow-origin'] },
      inputRequestLimits: inputRequestLimits(flags['question-expiry'], flags['waiting-calls']),
      maxCalls: parseCountFlag('--max-calls', flags['max-calls']),
      ...(flags['first-key'] === undefined ? {} : { firstKeyFor: parseAgentName(flags['first-key']) }),
      ...(flags['idle-exit'] === undefined
        ? {}
        : { idleExitMs: parseDurationFlagMs('--idle-exit', flags['idle-exit'], '`5m`') }),
    });
    const endedBy = closeOnSignals(daemon);
    if (output === 'text') {
      printMessage(
        startupBanner(daemon.summary(), {
          command: ownCommand(),
          data: resolve(settings.data),
          settings,
          version: VERSION,
        }),
      );
    }
    await daemon.ended;
    log.flush();
    return endedBy() === 'SIGINT' ? EXIT.interrupted : EXIT.yes;
  },
});

/** How long questions wait, and how many calls for them. @throws ProblemError `settings-invalid`. */
function inputRequestLimits(
  expiry: string,
  suspendedCalls: string,
): { readonly expiryMs: number; readonly perPrincipal: number } {
  const expiryMs = parseDurationFlagMs('--question-expiry', expiry, '`10m`');
  const perPrincipal = parseCountFlag('--waiting-calls', suspendedCalls, MAX_SUSPENDED_CALLS);
  if (expiryMs <= LONGEST_TIMER_MS) return { expiryMs, perPrincipal };
  const problem = { message: 'this is longer than a question can wait', hint: 'write at most `24d`' };
  throw new ProblemError([{ code: 'settings-invalid', at: '--question-expiry', ...problem }]);
}

/** What a timer of Node can wait. */
const LONGEST_TIMER_MS = 2_147_483_647;
const MAX_SUSPENDED_CALLS = 1_000;

/** Closes the daemon on the first signal; says which it was. A second one ends at once, as the system does it. */
function closeOnSignals(daemon: Daemon): () => NodeJS.Signals | undefined {
  let first: NodeJS.Signals | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      first ??= signal;
      void daemon.close();
    });
  }
  return () => first;
}
