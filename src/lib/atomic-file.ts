import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a new file and syncs it to disk; never overwrites. `mode` sets the permission bits; default: 0o666 less the
 * umask. @throws the system's error, as when the file exists.
 */
export function createFileDurably(path: string, content: Uint8Array | string, mode?: number): void {
  const file = openSync(path, 'wx', mode === undefined ? 0o666 : 0o600);
  try {
    writeFileSync(file, content);
    if (mode !== undefined) fchmodSync(file, mode);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Options of {@link replaceFileAtomically}. */
export interface AtomicFileOptions {
  /** As of {@link createFileDurably}. */
  readonly mode?: number;
  /** Called when the new content is on disk, before it replaces the old; a throw keeps the old file. */
  readonly beforeRename?: () => void;
}

/**
 * Replaces the content of a file atomically: readers see the old or the new content, also after a crash. The temporary
 * file's name begins with a dot. @throws the system's error; the file is then unchanged.
 */
export function replaceFileAtomically(
  path: string,
  content: Uint8Array | string,
  { mode, beforeRename }: AtomicFileOptions = {},
): void {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    createFileDurably(draft, content, mode);
    beforeRename?.();
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
