import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { ErrorCode } from '../domain/error-codes.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { ProblemError } from '../domain/problem.ts';
import { driverCodeOf } from './sqlite-connection.ts';

/** A data directory that this process has locked. No other process can lock it until it is closed or this one ends. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /** Absolute path of its database. */
  readonly databasePath: string;
  /** Releases the lock. Idempotent. */
  close(): void;
}

export const dataDirectoryFailureMode: FailureMode<'data-directory-in-use'> = {
  control: 'data directory',
  trigger: 'another process holds it',
  result: 'data-directory-in-use',
  means: 'the broker does not start',
  override: null,
};

/** Wait for the lock, in milliseconds: `findDataDirectoryHolder` takes a shared lock for a moment. */
const LOCK_WAIT_MS = 250;

/** Path of the database of a data directory. */
export function databasePathOf(directory: string): string {
  return join(resolve(directory), 'seneschal.db');
}

/**
 * Opens a data directory: creates it if it is missing, removes the access of other users, and locks it. The lock is a
 * lock of the operating system on an open file, so it ends with the process, however that ends.
 * @throws ProblemError `data-directory-in-use`, `data-directory-foreign-owner` or `data-directory-unusable`.
 */
export function openDataDirectory(directory: string): DataDirectory {
  const path = resolve(directory);
  ensurePrivateDirectory(path);
  const lock = acquireLock(path);
  const holderPath = join(path, 'holder.json');
  writeFileSync(holderPath, `${JSON.stringify({ pid: process.pid })}\n`, { mode: 0o600 });
  return {
    path,
    databasePath: databasePathOf(path),
    close: () => {
      if (!lock.open) return;
      // Before the lock is released, or the file of the next holder could be removed.
      rmSync(holderPath, { force: true });
      lock.close();
    },
  };
}

/** Process that has locked a data directory; undefined if none has. The pid is 0 until the holder has written it. */
export function findDataDirectoryHolder(directory: string): { readonly pid: number } | undefined {
  const path = resolve(directory);
  if (!existsSync(join(path, 'lock'))) return undefined;
  const lock = new Sqlite(join(path, 'lock'), { readonly: true, timeout: 0 });
  try {
    // Takes a shared lock for a moment; it is refused while another process holds the exclusive one.
    lock.prepare('SELECT count(*) FROM sqlite_master').get();
    return undefined;
  } catch (error) {
    if (driverCodeOf(error)?.startsWith('SQLITE_BUSY')) return { pid: holderPid(path) };
    throw error;
  } finally {
    lock.close();
  }
}

function ensurePrivateDirectory(path: string): void {
  let status: ReturnType<typeof statSync>;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    status = statSync(path);
  } catch (error) {
    throw problem('data-directory-unusable', path, {
      message: `the data directory cannot be created: ${codeOf(error)}`,
      hint: 'name a directory that you can write to with `--data`',
    });
  }
  if (process.getuid !== undefined && status.uid !== process.getuid()) {
    throw problem('data-directory-foreign-owner', path, {
      message: `the data directory belongs to user ${status.uid}, and this process runs as user ${process.getuid()}`,
      hint: 'run as its owner, or name another directory with `--data`',
    });
  }
  if ((status.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

function acquireLock(path: string): Sqlite.Database {
  let lock: Sqlite.Database | undefined;
  try {
    writeFileSync(join(path, 'lock'), '', { flag: 'a', mode: 0o600 });
    lock = new Sqlite(join(path, 'lock'), { timeout: LOCK_WAIT_MS });
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (driverCodeOf(error)?.startsWith('SQLITE_BUSY')) throw lockedByAnother(path);
    throw problem('data-directory-unusable', path, {
      message: `the data directory cannot be written to: ${codeOf(error)}`,
      hint: 'make it writable, make room on its disk, or name another directory with `--data`',
    });
  }
}

function lockedByAnother(path: string): ProblemError {
  const pid = holderPid(path);
  return problem(dataDirectoryFailureMode.result, path, {
    message: pid === 0 ? 'another process holds the data directory' : `process ${pid} holds the data directory`,
    hint: 'stop that process, use the broker that it runs, or name another directory with `--data`',
  });
}

/** The pid for messages. Nothing is decided by it: only the lock proves that the directory is in use. */
function holderPid(path: string): number {
  try {
    const holder: unknown = JSON.parse(readFileSync(join(path, 'holder.json'), 'utf8'));
    const isNamed = typeof holder === 'object' && holder !== null && 'pid' in holder;
    return isNamed && typeof holder.pid === 'number' ? holder.pid : 0;
  } catch {
    return 0;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function problem(code: ErrorCode, at: string, words: { message: string; hint: string }): ProblemError {
  return new ProblemError([{ code, at, ...words }]);
}
