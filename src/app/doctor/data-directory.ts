import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { findDataDirectoryHolder } from '../../storage/data-directory.ts';
import { daemonSocketPath } from '../runtime/daemon-socket.ts';
import type { Check, Environment } from './check.ts';

/** Rights of anybody but the owner. */
const GROUP_AND_OTHERS = 0o077;

/** The data directory and every file in it belong to who runs the broker, and nobody else can read them. */
export const dataDirectoryCheck: Check = {
  name: 'data directory',
  run: ({ settings }) => {
    const path = resolve(settings.data);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // One that is not there yet is made at the first start.
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
    const message = `it belongs to user ${uid}, and this is user ${own}`;
    const hint = `run as its owner, or \`chown ${own} ${path}\``;
    faults.push({ code: 'data-directory-foreign-owner', at: path, message, hint });
  }
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    const message = `other users of this machine may open it: its mode is ${(mode & 0o777).toString(8)}`;
    faults.push({ code: 'doctor-file-open', at: path, message, hint: `chmod go= ${path}` });
  }
  return faults;
}

function notADirectory(at: string): Problem {
  const hint = 'name a directory with `--data`';
  return { code: 'data-directory-unusable', at, message: 'it is no directory', hint };
}

const MEBIBYTE = 1_048_576;
/** Below this a write-ahead log that is being worked in may find no room, and every call is refused then. */
const MIN_FREE_BYTES = 64 * MEBIBYTE;
const LOW_FREE_BYTES = 1_024 * MEBIBYTE;
/** A call waits for two of these; a disk of the last twenty years needs less. */
const SLOW_SYNC_MS = 50;

/** Room on the disk of the data directory, and how long it takes to make an entry durable. */
export const diskCheck: Check = {
  name: 'disk',
  run: ({ settings, machine }) => {
    const path = resolve(settings.data);
    const exists = existsSync(path);
    const freeBytes = machine.freeBytes(nearestDirectory(path));
    // Nothing is written where no broker has been yet.
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
  const message = `${Math.floor(freeBytes / MEBIBYTE)} MiB are free on its disk; a ledger without room refuses every call`;
  const hint = 'make room on the disk, or move the directory and name it with `--data`';
  const severity = freeBytes < MIN_FREE_BYTES ? 'error' : 'warning';
  return [{ code: 'doctor-disk-full', at, message, hint, severity }];
}

function syncProblems(at: string, syncMs: number): readonly Problem[] {
  if (syncMs <= SLOW_SYNC_MS) return [];
  const message = `a write takes ${syncMs} ms until it is durable, and every call waits for two`;
  const hint = 'put the data directory on a local disk, and name it with `--data`';
  return [{ code: 'doctor-disk-slow', at, message, hint, severity: 'warning' }];
}

/** Whoever holds the data directory answers on its socket, and nobody has left marks of having held it. */
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
    message: `${who} holds the data directory and does not answer on its socket`,
    hint: pid === 0 ? 'ask again: it may be starting' : `ask again: it may be starting; if it hangs, \`kill ${pid}\``,
  };
}

function versionMismatch({ daemon, version, settings }: Environment): readonly Problem[] {
  if (!daemon || daemon.version === version) return [];
  const message = `the broker that runs (process ${daemon.pid}) is of version ${daemon.version}, this command of ${version}`;
  const hint = `stop it with \`kill ${daemon.pid}\` and start \`seneschal serve\` again`;
  return [{ code: 'doctor-version-differs', at: settings.data, message, hint, severity: 'warning' }];
}

function staleLock(paths: readonly string[], pid: string): Problem {
  return {
    code: 'doctor-lock-left',
    at: paths[0] ?? '',
    message: `a broker${pid} ended without letting go; nobody holds the data directory now`,
    hint: 'run `seneschal serve`: it takes over, and marks the calls that were under way as in doubt',
    severity: 'warning',
  };
}

/** For people: the lock alone says whether somebody holds. */
function holderText(data: string): string {
  try {
    const pid = /"pid":(\d+)/.exec(readFileSync(join(data, 'holder.json'), 'utf8'))?.[1];
    return pid === undefined ? '' : ` (process ${pid})`;
  } catch {
    return '';
  }
}
