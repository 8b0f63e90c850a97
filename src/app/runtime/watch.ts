import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../../telemetry/log.ts';

/** Interval between two polls. Two polls and a load stay under one second. */
const DIRECTORY_POLL_MS = 200;

/**
 * Polls directories and calls `onChange` when their files have changed and then stayed the same for one interval, so
 * that a file is not read while it is being written. Polling works with every file system and every editor.
 * `loaded` is the signature from before the files were loaded: a change during the load counts.
 * @returns a function that stops the watch.
 */
export function watchDirectories(
  dirs: readonly string[],
  loaded: DirectorySignature,
  onChange: () => void | Promise<void>,
): () => void {
  let isStopped = false;
  let settled = loaded;
  let previous = loaded;
  let timer: NodeJS.Timeout | undefined;
  const poll = async (): Promise<void> => {
    const now = await directorySignature(dirs);
    if (now === previous && now !== settled) {
      settled = now;
      await onChange();
    }
    previous = now;
    if (!isStopped) timer = setTimeout(() => void poll(), DIRECTORY_POLL_MS).unref();
  };
  timer = setTimeout(() => void poll(), DIRECTORY_POLL_MS).unref();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** Names, times and sizes of the files of directories; not their content. */
export type DirectorySignature = string;

/** Reads the signature of directories. */
export async function directorySignature(dirs: readonly string[]): Promise<DirectorySignature> {
  const parts = await Promise.all(dirs.map((dir) => folderSignature(dir)));
  return parts.join('\n');
}

async function folderSignature(dir: string): Promise<string> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    const lines = await Promise.all(
      entries
        .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'schema')
        .map((entry) =>
          entry.isDirectory() ? folderSignature(join(dir, entry.name)) : fileSignature(join(dir, entry.name)),
        ),
    );
    return `${dir}\n${lines.sort().join('\n')}`;
  } catch (error) {
    // A missing directory is a change like any other; the loader decides if it is a problem.
    return `${dir} ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`;
  }
}

async function fileSignature(path: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return `${path} ${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return `${path} gone`;
  }
}

const EVENT_LOOP_SAMPLE_MS = 10_000;
const EVENT_LOOP_RESOLUTION_MS = 50;
/** Every call waits while the event loop is blocked; a block of this length is worth investigating. */
const STALL_MS = 250;

/** Logs when the event loop was blocked for `STALL_MS` or longer. @returns a function that stops the watch. */
export function watchEventLoop(log: Log): () => void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    // `max` is in nanoseconds and includes the resolution.
    const longestMs = Math.round(delay.max / 1e6) - EVENT_LOOP_RESOLUTION_MS;
    delay.reset();
    if (longestMs >= STALL_MS) log.warn('loop.stalled', { longestMs });
  }, EVENT_LOOP_SAMPLE_MS).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
