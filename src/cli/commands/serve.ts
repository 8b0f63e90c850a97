import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Daemon, startDaemon } from '../../app/daemon.ts';
import { systemClock } from '../../app/system.ts';
import { ProblemError } from '../../domain/problem.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { jsonLog } from '../../telemetry/log.ts';
import { textLog } from '../../telemetry/text-log.ts';
import { mainPath } from '../main-path.ts';
import { say } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';
import { VERSION } from '../version.ts';
import { welcomeText } from '../welcome.ts';

interface ServeFlags extends CommonFlags {
  readonly allowHost: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly firstKey?: string;
  readonly idleExit?: string;
  readonly http: boolean;
}

/** `serve`: the broker in the foreground. */
export function registerServe(program: Command): void {
  outputFlag(settingsFlags(program.command('serve'), ['registry', 'policies', 'data', 'port', 'host']))
    .description('govern: listen for agents over HTTP and on the socket of the data directory')
    .option('--allow-host <name>', 'a `Host` under which agents reach this broker; needed beyond loopback', collect, [])
    .option('--allow-origin <origin>', 'an `Origin` that may call, for agents in browsers', collect, [])
    .option('--first-key <agent>', 'make a key for this agent when there is no key yet, and print it once')
    .addOption(new Option('--idle-exit <duration>', 'end after so long without an agent on the socket').hideHelp())
    .addOption(new Option('--no-http', 'listen on the socket alone').hideHelp())
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const settings = settingsOf(flags);
  const log = flags.output === 'json' ? jsonLog() : textLog((text) => process.stdout.write(text), systemClock);
  const daemon = await startDaemon(settings, {
    ...{ log, version: VERSION, env: process.env, http: flags.http },
    ...{ allowedHosts: flags.allowHost, allowedOrigins: flags.allowOrigin },
    ...(flags.firstKey === undefined ? {} : { firstKeyFor: flags.firstKey.replace(/^agent:/, '') }),
    ...(flags.idleExit === undefined ? {} : { idleExitMs: idleMs(flags.idleExit) }),
  });
  endOnSignals(daemon);
  if (flags.output === 'text') {
    const command = [process.execPath, ...process.execArgv, mainPath()];
    say(welcomeText(daemon.summary(), { command, data: resolve(settings.data), settings, version: VERSION }));
  }
  await daemon.ended;
  log.flush();
}

function endOnSignals(daemon: Daemon): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // A second signal ends at once, as the system does it.
    process.once(signal, () => void daemon.close());
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function idleMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms;
  throw new ProblemError([
    { code: 'settings-invalid', at: '--idle-exit', message: 'this is no duration', hint: 'write one such as `5m`' },
  ]);
}
