import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { findDataDirectoryHolder } from '../../storage/data-directory.ts';
import { daemonSocketPath } from '../runtime/daemon-socket.ts';
import type { Check, Environment } from './check.ts';

/** Mode bits of everyone but the owner. */
const GROUP_AND_OTHERS = 0o077;

/** Checks that the data directory and its files belong to the user of the broker and that no other user can open them. */
export const dataDirectoryCheck: Check = {
  name: 'data directory',
  run: ({ settings }) => {
    const path = resolve(settings.data);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // The first start creates a missing directory.
    if (!stats) return { findings: [], facts: { dataDirectory: null } };
    if (!stats.isDirectory()) return { findings: [notADirectory(settings.data)] };
    const findings = [...permissionProblems(settings.data, stats)];
    for (const name of readdirSync(path).sort()) {
      const file = lstatSync(join(path, name), { throwIfNoEntry: false });
      if (file && !file.isSymbolicLink()) findings.push(...permissionProblems(join(settings.data, name), file));
    }
    return { findings, facts: { dataDirectory: path } };
  },
};

function permissionProblems(path: string, { uid, mode }: Stats): readonly Problem[] {
  const faults: Problem[] = [];
  const own = process.getuid?.() ?? uid;
  if (uid !== own) {
    const message = `the owner is user ${uid}, and this command runs as user ${own}`;
    const hint = `run as the owner, or run \`chown ${own} ${path}\``;
    faults.push({ code: 'data-directory-foreign-owner', at: path, message, hint });
  }
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    const message = `other users of this machine can open it: its mode is ${(mode & 0o777).toString(8)}`;
    faults.push({ code: 'doctor-file-open', at: path, message, hint: `run \`chmod go= ${path}\`` });
  }
  return faults;
}

function notADirectory(at: string): Problem {
  const hint = 'name a directory with `--data`';
  return { code: 'data-directory-unusable', at, message: 'this is not a directory', hint };
}

const MEBIBYTE = 1_048_576;
/** Below this, a growing write-ahead log may fill the disk, and then every call is refused. */
const MIN_FREE_BYTES = 64 * MEBIBYTE;
const LOW_FREE_BYTES = 1_024 * MEBIBYTE;
/** A call waits for two durable writes; a local disk needs less than this for each. */
const SLOW_SYNC_MS = 50;

/** Checks the free space of the data directory's disk and the time of a durable write. */
export const diskCheck: Check = {
  name: 'disk',
  run: ({ settings, machine }) => {
    const path = resolve(settings.data);
    const exists = existsSync(path);
    const freeBytes = machine.freeBytes(nearestDirectory(path));
    // The check creates no directory.
    const syncMs = exists ? Math.round(machine.syncMs(path)) : null;
    const findings = [
      ...freeSpaceProblems(settings.data, freeBytes),
      ...(syncMs === null ? [] : syncProblems(settings.data, syncMs)),
    ];
    return { findings, facts: { freeBytes, syncMs } };
  },
};

function nearestDirectory(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestDirectory(dirname(path));
}

function freeSpaceProblems(at: string, freeBytes: number): readonly Problem[] {
  if (freeBytes >= LOW_FREE_BYTES) return [];
  const message = `its disk has ${Math.floor(freeBytes / MEBIBYTE)} MiB free; when it is full, every call is refused`;
  const hint = 'free space on the disk, or move the directory and name it with `--data`';
  const severity = freeBytes < MIN_FREE_BYTES ? 'error' : 'warning';
  return [{ code: 'doctor-disk-full', at, message, hint, severity }];
}

function syncProblems(at: string, syncMs: number): readonly Problem[] {
  if (syncMs <= SLOW_SYNC_MS) return [];
  const message = `a durable write takes ${syncMs} ms, and every call waits for two`;
  const hint = 'move the data directory to a local disk, and name it with `--data`';
  return [{ code: 'doctor-disk-slow', at, message, hint, severity: 'warning' }];
}

/** Checks that the holder of the data directory responds on its socket, and that no stale lock is left. */
export const lockCheck: Check = {
  name: 'lock',
  run: (environment) => {
    const { settings, daemon } = environment;
    const holder = findDataDirectoryHolder(settings.data);
    const facts = { holder: holder?.pid ?? null };
    if (holder && !daemon) return { facts, findings: [unresponsiveDaemon(holder.pid, settings.data)] };
    if (holder && daemon) return { facts, findings: versionMismatch(environment) };
    const staleFiles = [join(settings.data, 'holder.json'), daemonSocketPath(settings)].filter((path) =>
      existsSync(path),
    );
    return { facts, findings: staleFiles.length === 0 ? [] : [staleLock(staleFiles, holderText(settings.data))] };
  },
};

function unresponsiveDaemon(pid: number, at: string): Problem {
  const who = pid === 0 ? 'a process' : `process ${pid}`;
  return {
    code: 'doctor-daemon-silent',
    at,
    message: `${who} holds the data directory and does not respond on its socket`,
    hint:
      pid === 0
        ? 'run `seneschal doctor` again: it may be starting'
        : `run \`seneschal doctor\` again: it may be starting; if it hangs, run \`kill ${pid}\``,
  };
}

function versionMismatch({ daemon, version, settings }: Environment): readonly Problem[] {
  if (!daemon || daemon.version === version) return [];
  const message = `the running broker (process ${daemon.pid}) has version ${daemon.version}, this command ${version}`;
  const hint = `stop it with \`kill ${daemon.pid}\`, then start \`seneschal serve\` again`;
  return [{ code: 'doctor-version-differs', at: settings.data, message, hint, severity: 'warning' }];
}

function staleLock(paths: readonly string[], pid: string): Problem {
  return {
    code: 'doctor-lock-left',
    at: paths[0] ?? '',
    message: `a broker${pid} ended without releasing the data directory; no process holds it now`,
    hint: 'run `seneschal serve`: it takes over and marks the calls that were in progress as in doubt',
    severity: 'warning',
  };
}

/** Text for people; only the lock tells if a process holds the directory. */
function holderText(data: string): string {
  try {
    const pid = /"pid":(\d+)/.exec(readFileSync(join(data, 'holder.json'), 'utf8'))?.[1];
    return pid === undefined ? '' : ` (process ${pid})`;
  } catch {
    return '';
  }
}
