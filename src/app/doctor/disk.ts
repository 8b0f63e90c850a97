import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import type { Check } from './check.ts';

const MEBIBYTE = 1_048_576;
/** Below this a write-ahead log that is being worked in may find no room, and every call is refused then. */
const TOO_FULL_BYTES = 64 * MEBIBYTE;
const NEARLY_FULL_BYTES = 1_024 * MEBIBYTE;
/** A call waits for two of these; a disk of the last twenty years needs less. */
const SLOW_SYNC_MS = 50;

/** Room on the disk of the data directory, and how long it takes to make an entry durable. */
export const disk: Check = {
  name: 'disk',
  run: ({ settings, machine }) => {
    const path = resolve(settings.data);
    const isThere = existsSync(path);
    const freeBytes = machine.freeBytes(nearestDirectory(path));
    // Nothing is written where no broker has been yet.
    const syncMs = isThere ? Math.round(machine.syncMs(path)) : null;
    const findings = [...roomOf(settings.data, freeBytes), ...(syncMs === null ? [] : paceOf(settings.data, syncMs))];
    return { findings, facts: { freeBytes, syncMs } };
  },
};

function nearestDirectory(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestDirectory(dirname(path));
}

function roomOf(at: string, freeBytes: number): readonly Problem[] {
  if (freeBytes >= NEARLY_FULL_BYTES) return [];
  const message = `${Math.floor(freeBytes / MEBIBYTE)} MiB are free on its disk; a ledger without room refuses every call`;
  const hint = 'make room on the disk, or move the directory and name it with `--data`';
  const severity = freeBytes < TOO_FULL_BYTES ? 'error' : 'warning';
  return [{ code: 'doctor-disk-full', at, message, hint, severity }];
}

function paceOf(at: string, syncMs: number): readonly Problem[] {
  if (syncMs <= SLOW_SYNC_MS) return [];
  const message = `a write takes ${syncMs} ms until it is durable, and every call waits for two`;
  const hint = 'put the data directory on a local disk, and name it with `--data`';
  return [{ code: 'doctor-disk-slow', at, message, hint, severity: 'warning' }];
}
