import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { createFileDurably, replaceFileAtomically } from '../../lib/atomic-file.ts';

/** A config file as it lies on the disk. */
export interface ConfigFile {
  readonly path: string;
  /** Undefined where there is no such file. */
  readonly bytes: Buffer | undefined;
  /** Permission bits; those of a new file where there is none. */
  readonly mode: number;
}

/** Largest config file that is changed: Claude Code keeps its history in the same file as its servers. */
const MAX_BYTES = 64 * 1_048_576;

/** Only its owner may read a new file: hosts put secrets into theirs. */
const NEW_FILE_MODE = 0o600;

/** Reads a config file; one that is not there has no bytes. @throws ProblemError `config-unreadable`. */
export function readConfigFile(path: string): ConfigFile {
  if (!existsSync(path)) return { path, bytes: undefined, mode: NEW_FILE_MODE };
  return withFsErrors('config-unreadable', path, () => {
    const { size, mode } = statSync(path);
    if (size > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`);
    return { path, bytes: readFileSync(path), mode: mode & 0o777 };
  });
}

/** The text of a file without its byte order mark. @throws ProblemError `config-unreadable` for what is not UTF-8. */
export function decodeConfig({ path, bytes }: ConfigFile): { readonly text: string; readonly byteOrderMark: string } {
  const text = withFsErrors('config-unreadable', path, () =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes ?? new Uint8Array()),
  );
  return text.startsWith('\ufeff') ? { text: text.slice(1), byteOrderMark: '\ufeff' } : { text, byteOrderMark: '' };
}

/**
 * Puts other bytes in the place of a file at once: whoever reads it sees the old or the new, also after a crash. Links
 * are followed and kept.
 * @throws ProblemError `hosts-file-changed` when the file is not what was read; `hosts-file-unwritable`.
 */
export function replaceConfigFile(before: ConfigFile, bytes: Uint8Array): void {
  const target = realPathOf(before.path);
  withFsErrors('hosts-file-unwritable', before.path, () => {
    makeParentDirectory(target);
    replaceFileAtomically(target, bytes, { mode: before.mode, beforeRename: () => rejectIfChanged(before) });
  });
}

/** Removes a file that is still what was read. @throws ProblemError as `replaceConfigFile`. */
export function removeConfigFile(before: ConfigFile): void {
  rejectIfChanged(before);
  withFsErrors('hosts-file-unwritable', before.path, () => rmSync(realPathOf(before.path)));
}

/** Writes a file that is not there yet, which only its owner may read. @throws ProblemError `hosts-file-unwritable`. */
export function writePrivateFile(path: string, bytes: Uint8Array): void {
  withFsErrors('hosts-file-unwritable', path, () => {
    makeParentDirectory(path);
    createFileDurably(path, bytes, NEW_FILE_MODE);
  });
}

function makeParentDirectory(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
}

/** Does it, and says what the system says where it cannot. @throws ProblemError of that code. */
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
    const message = `this cannot be ${verb}: ${describeFsError(error)}`;
    const hint =
      code === 'config-unreadable'
        ? `look at \`ls -l ${at}\``
        : `look at \`ls -ld ${dirname(at)}\`; nothing was changed`;
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
    message: 'another program has changed the file meanwhile',
    hint: 'end the program that it belongs to, and try again',
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
  return FS_ERRORS[code] ?? `the system says \`${code}\``;
}

const FS_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'its permissions forbid it',
  EPERM: 'its permissions forbid it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
};
