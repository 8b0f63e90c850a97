import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a new file that is on the disk when this returns, and never overwrites one. `mode` are its permission bits;
 * without it they are those that the umask leaves. @throws the error of the system.
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

/** How a file is put into its place. */
export interface AtomicFileOptions {
  /** As of `writeNewFile`. */
  readonly mode?: number;
  /** Called when all is written; where it throws, the file stays as it was. */
  readonly beforeRename?: () => void;
}

/**
 * Puts other content in the place of a file at once: whoever reads it sees the old or the new, also after a crash. The
 * name that it is written under begins with a dot. @throws the error of the system; then the file is as it was.
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
