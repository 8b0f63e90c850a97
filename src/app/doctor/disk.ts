import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import type { Check } from './check.ts';

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
