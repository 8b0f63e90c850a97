import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { createFileDurably, replaceFileAtomically } from '../../lib/atomic-file.ts';

/** A config file as read from disk. */
export interface ConfigFile {
  readonly path: string;
  /** Undefined if the file does not exist. */
  readonly bytes: Buffer | undefined;
  /** Permission bits; those for a new file if the file does not exist. */
  readonly mode: number;
}

/** Largest config file that is changed. Claude Code keeps its history and its servers in one file. */
const MAX_BYTES = 64 * 1_048_576;

/** Only the owner may read a new file, because hosts store secrets in their config. */
const NEW_FILE_MODE = 0o600;

/** Reads a config file; `bytes` is undefined if it does not exist. @throws ProblemError `config-unreadable`. */
export function readConfigFile(path: string): ConfigFile {
  if (!existsSync(path)) return { path, bytes: undefined, mode: NEW_FILE_MODE };
  return withFsErrors('config-unreadable', path, () => {
    const { size, mode } = statSync(path);
    if (size > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES / 1_048_576} MiB`);
    return { path, bytes: readFileSync(path), mode: mode & 0o777 };
  });
}

/** Decodes a file, without its byte order mark. @throws ProblemError `config-unreadable` if it is not UTF-8. */
export function decodeConfig({ path, bytes }: ConfigFile): { readonly text: string; readonly byteOrderMark: string } {
  const text = withFsErrors('config-unreadable', path, () =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes ?? new Uint8Array()),
  );
  return text.startsWith('\ufeff') ? { text: text.slice(1), byteOrderMark: '\ufeff' } : { text, byteOrderMark: '' };
}

/**
 * Replaces a file atomically: a reader sees the old bytes or the new ones, also after a crash. Symbolic links are
 * followed and kept.
 * @throws ProblemError `hosts-file-changed` if the file changed after it was read; `hosts-file-unwritable`.
 */
export function replaceConfigFile(before: ConfigFile, bytes: Uint8Array): void {
  const target = realPathOf(before.path);
  withFsErrors('hosts-file-unwritable', before.path, () => {
    makeParentDirectory(target);
    replaceFileAtomically(target, bytes, { mode: before.mode, beforeRename: () => rejectIfChanged(before) });
  });
}

/** Removes a file that did not change after it was read. @throws ProblemError as `replaceConfigFile`. */
export function removeConfigFile(before: ConfigFile): void {
  rejectIfChanged(before);
  withFsErrors('hosts-file-unwritable', before.path, () => rmSync(realPathOf(before.path)));
}

/** Creates a file that only its owner may read. @throws ProblemError `hosts-file-unwritable`, also if it exists. */
export function writePrivateFile(path: string, bytes: Uint8Array): void {
  withFsErrors('hosts-file-unwritable', path, () => {
    makeParentDirectory(path);
    createFileDurably(path, bytes, NEW_FILE_MODE);
  });
}

function makeParentDirectory(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
}

/** Runs a file system operation and turns its error into a problem. @throws ProblemError with that code. */
export function withFsErrors<T>(
  code: 'config-unreadable' | 'hosts-file-unwritable',
  at: string,
  operation: () => T,
): T {
  try {
    return operation();
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    const verb = code === 'config-unreadable' ? 'read' : 'written';
    const message = `the file cannot be ${verb}: ${describeFsError(error)}`;
    const hint =
      code === 'config-unreadable'
        ? `check it with \`ls -l ${at}\``
        : `check the directory with \`ls -ld ${dirname(at)}\`; nothing was changed`;
    throw new ProblemError([{ code, at, message, hint }]);
  }
}

function rejectIfChanged(before: ConfigFile): void {
  const now = readConfigFile(before.path).bytes;
  const isSame = now === undefined ? before.bytes === undefined : before.bytes?.equals(now) === true;
  if (isSame) return;
  const problem: Problem = {
    code: 'hosts-file-changed',
    at: before.path,
    message: 'another program changed the file at the same time, so it was left as it is',
    hint: 'close the program that the file belongs to, and run the command again',
  };
  throw new ProblemError([problem]);
}

function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function describeFsError(error: unknown): string {
  if (error instanceof RangeError) return error.message;
  if (error instanceof TypeError) return 'it is not UTF-8';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return FS_ERRORS[code] ?? `error \`${code}\` of the operating system`;
}

const FS_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
};
