import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A part of the bench in a process of its own, so that its CPU can be measured. */
export interface Part<Said> {
  readonly child: ChildProcess;
  /** Its first message. */
  readonly said: Said;
  stop(): Promise<void>;
}

/** Starts a file of this folder with one JSON argument and waits for its first message. */
export async function startPart<Said>(file: string, argument: unknown): Promise<Part<Said>> {
  const child = fork(resolve(import.meta.dirname, file), [JSON.stringify(argument)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const early = ended.then(([code]) => {
    throw new Error(`${file} ended with ${String(code)} before its first message`);
  });
  early.catch(() => {});
  // `as`: both ends of the pipe are files of this folder.
  const [said] = (await Promise.race([once(child, 'message'), early])) as [Said];
  return {
    child,
    said,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The argument of this process. The process exits when its parent does. */
export function argument<Value>(): Value {
  process.once('disconnect', () => process.exit());
  // `as`: see startPart.
  return JSON.parse(process.argv[2] ?? 'null') as Value;
}

/** Sends a message to the parent process. */
export function say(message: unknown): void {
  process.send?.(message);
}

/** User and system time of a process with all its threads, in microseconds, in steps of 10 ms. Linux only. */
export function cpuUsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the command, is in parentheses and may hold spaces; proc(5) numbers utime 14 and stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident memory of a process in MB. */
export function residentMbOf(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1_024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
