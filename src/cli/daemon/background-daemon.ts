import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../../app/settings.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject } from '../../lib/json/json.ts';
import { mainPath } from './shim-command.ts';

/** A broker in the background exits after this time without an agent. */
const IDLE_EXIT = '5m';

/** A broker in the background. It outlives the process that started it. */
export interface BackgroundDaemon {
  /** Why it exited; undefined while it runs. */
  failure(): ProblemError | undefined;
}

/** Starts the broker in the background. Of two started at once, one locks the data directory and the other exits. */
export function startBackgroundDaemon(settings: Settings): BackgroundDaemon {
  const data = resolve(settings.data);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const logPath = join(data, 'broker.log');
  const log = openSync(logPath, 'a', 0o600);
  const from = statSync(logPath).size;
  const args = ['serve', '--no-http', '--idle-exit', IDLE_EXIT, '--output', 'json'];
  const directoryFlags = [
    '--registry',
    resolve(settings.registry),
    '--policies',
    resolve(settings.policies),
    '--data',
    data,
  ];
  const child = spawn(process.execPath, [...process.execArgv, mainPath(), ...args, ...directoryFlags], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  let failure: ProblemError | undefined;
  child.once('error', (error) => {
    failure = new ProblemError([daemonStartFailed(logPath, error.message)]);
  });
  child.once('exit', (code, signal) => {
    const problems = problemsSince(logPath, from);
    failure = new ProblemError(
      problems.length > 0 ? problems : [daemonStartFailed(logPath, `it exited with ${signal ?? `status ${code}`}`)],
    );
  });
  child.unref();
  return { failure: () => failure };
}

/** Problems that a broker which could not start wrote to its log, on one line of JSON. */
function problemsSince(logPath: string, from: number): readonly Problem[] {
  const lines = readFileSync(logPath).subarray(from).toString('utf8').split('\n');
  return lines.flatMap((line): readonly Problem[] => {
    if (!line.startsWith('{"problems":')) return [];
    const output: unknown = JSON.parse(line);
    // `as`: the line was written by this program.
    return isJsonObject(output) && Array.isArray(output.problems) ? (output.problems as unknown as Problem[]) : [];
  });
}

function daemonStartFailed(logPath: string, reason: string): Problem {
  return {
    code: 'daemon-start-failed',
    at: logPath,
    message: `the broker could not be started in the background: ${reason}`,
    hint: 'run `seneschal serve` in a terminal to see why',
  };
}
