import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../../telemetry/log.ts';

/** How often directories are looked at: two looks and a load stay under one second. */
const DIRECTORY_POLL_MS = 200;

/**
 * Looks at directories and calls `onChange` when their files have changed and have then stayed the same for one look,
 * so that a file is not read while it is being written. Polling sees every kind of file system and of editor.
 * `loaded` is how they were before they were loaded: what changed while they were is a change too.
 * @returns the way to stop.
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

/** How the files of directories are, without their content. */
export type DirectorySignature = string;

/** Looks at directories once. */
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
    // A directory that is gone is a change like any other; the loader says what it thinks of it.
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
/** Everybody waits while the loop is held up; so long a wait has a cause that is worth finding. */
const STALL_MS = 250;

/** Tells in the log how long the event loop was held up, where that was long. @returns the way to stop. */
export function watchEventLoop(log: Log): () => void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    // Nanoseconds, and the wait that was meant is in them.
    const longestMs = Math.round(delay.max / 1e6) - EVENT_LOOP_RESOLUTION_MS;
    delay.reset();
    if (longestMs >= STALL_MS) log.warn('loop.stalled', { longestMs });
  }, EVENT_LOOP_SAMPLE_MS).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
