import { existsSync } from 'node:fs';
import { readLastEntry } from '../../ledger/query.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { readLedger } from '../ledger-questions.ts';
import type { Check } from './check.ts';

/** Clocks of one machine part by less. */
const TOLERANCE_MS = 60_000;

/** The machine's clock does not stand before what the ledger was written by. */
export const clockCheck: Check = {
  name: 'clock',
  run: ({ settings, clock: machineClock }) => {
    if (!existsSync(databasePathOf(settings.data))) return { findings: [] };
    const last = readLedger(settings, readLastEntry);
    const nowMs = machineClock.wallMs();
    const facts = { now: new Date(nowMs).toISOString(), seq: last?.seq ?? 0 };
    if (last === undefined || last.atMs <= nowMs + TOLERANCE_MS) return { findings: [], facts };
    const message = `the clock says ${facts.now}, and entry ${last.seq} was made at ${new Date(last.atMs).toISOString()}`;
    const hint = 'set the clock (`timedatectl set-ntp true`); keys and conditions are judged by it';
    return { facts, findings: [{ code: 'doctor-clock-behind', at: `entry ${last.seq}`, message, hint }] };
  },
};
