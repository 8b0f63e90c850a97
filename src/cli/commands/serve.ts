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
  summary: 'start the broker: serve agents over HTTP and on the socket of the data directory',
  description: `Starts the broker in the foreground. It reads the registry and the policy, runs the policy tests, connects to the
    tool servers and serves agents until it is stopped. It reloads files that change. Its log goes to standard output;
    the config entries for agents go to standard error.

    On SIGTERM or Ctrl-C it finishes the calls in progress and exits; on a second signal it exits at once.`,
  flags: [
    {
      name: 'allow-host',
      value: 'name',
      description: 'value of `Host` to accept; required when agents connect from other machines',
      repeatable: true,
    },
    {
      name: 'allow-origin',
      value: 'origin',
      description: 'value of `Origin` to accept, for agents in browsers',
      repeatable: true,
    },
    {
      name: 'max-calls',
      value: 'number',
      description: 'limit of concurrent calls of all agents; further calls are refused with `overloaded`',
      default: '1024',
    },
    {
      name: 'first-key',
      value: 'agent',
      description: 'create a key for this agent if there is no key yet, and print it once',
    },
    {
      name: 'question-expiry',
      value: 'duration',
      description: 'how long an input request of a tool server, such as an elicitation, waits for its response',
      default: '10m',
    },
    {
      name: 'waiting-calls',
      value: 'number',
      description: 'limit of calls of one agent that wait for input responses, 1 to 1000',
      default: '16',
    },
    {
      name: 'idle-exit',
      value: 'duration',
      description: 'exit after this time without an agent on the socket',
      hidden: true,
    },
    { name: 'no-http', description: 'listen on the socket only', hidden: true },
  ],
  settings: ['registry', 'policies', 'data', 'port', 'host'],
  exitCodes: {
    yes: 'stopped by SIGTERM, after the calls in progress',
    interrupted: 'stopped by Ctrl-C, after the calls in progress',
  },
  examples: [
    {
      title: 'Start the broker and create a key for the first agent',
      line: 'seneschal serve --first-key agent:demo',
      runsUntil: 'stdio entry for agent:',
    },
    {
      title: 'Serve other machines under one host name, behind a proxy that terminates TLS',
      line: 'seneschal serve --host 0.0.0.0 --allow-host tools.example.com',
      runsUntil: 'stdio entry for agent:',
    },
  ],
  run: async ({ flags, settings: readSettings, output }) => {
    const settings = readSettings();
    const log = output === 'json' ? jsonLog() : textLog((text) => process.stdout.write(text), systemClock);
    const daemon = await startDaemon(settings, {
      log,
      version: VERSION,
      env: process.env,
      http: !flags['no-http'],
      allowedHosts: flags['allow-host'],
      allowedOrigins: flags['allow-origin'],
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

/** Expiry of input requests, and the limit of calls that wait for them. @throws ProblemError `settings-invalid`. */
function inputRequestLimits(
  expiry: string,
  suspendedCalls: string,
): { readonly expiryMs: number; readonly perPrincipal: number } {
  const expiryMs = parseDurationFlagMs('--question-expiry', expiry, '`10m`');
  const perPrincipal = parseCountFlag('--waiting-calls', suspendedCalls, MAX_SUSPENDED_CALLS);
  if (expiryMs <= LONGEST_TIMER_MS) return { expiryMs, perPrincipal };
  const problem = { message: `\`${expiry}\` is longer than 24 days`, hint: 'write at most `24d`' };
  throw new ProblemError([{ code: 'settings-invalid', at: '--question-expiry', ...problem }]);
}

/** Longest delay of a Node timer. */
const LONGEST_TIMER_MS = 2_147_483_647;
const MAX_SUSPENDED_CALLS = 1_000;

/** Closes the daemon on the first signal. Returns which it was. A second signal ends the process at once. */
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
