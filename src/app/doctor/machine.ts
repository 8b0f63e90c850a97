import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readLastEntry } from '../../ledger/list-entries.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { nativeModuleProblem } from '../../storage/sqlite-connection.ts';
import { readLedger } from '../queries/ledger.ts';
import type { Check, MachineProbe } from './check.ts';

const SYNC_SAMPLES = 5;
/** About an entry with its page. */
const SYNC_BLOCK: Uint8Array = Buffer.alloc(4_096);

/** The machine that this runs on. */
export const machineProbe: MachineProbe = {
  nodeVersion: process.versions.node,
  freeBytes: (directory) => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  },
  syncMs: (directory) => {
    const path = join(directory, `.sync-probe-${process.pid}`);
    const file = openSync(path, 'w', 0o600);
    try {
      const times = Array.from({ length: SYNC_SAMPLES }, () => syncDurationMs(file)).sort((one, other) => one - other);
      return times[Math.floor(SYNC_SAMPLES / 2)] ?? 0;
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
  },
};

function syncDurationMs(file: number): number {
  const startedMs = performance.now();
  writeSync(file, SYNC_BLOCK);
  fsyncSync(file);
  return performance.now() - startedMs;
}

/** The oldest Node that is tested; `engines` of package.json says the same. */
export const MIN_NODE_VERSION = '20.19.0';

export const nodeVersionCheck: Check = {
  name: 'node',
  run: ({ machine }) => ({
    facts: { node: machine.nodeVersion },
    findings: isOlder(machine.nodeVersion, MIN_NODE_VERSION)
      ? [
          {
            code: 'doctor-node-too-old',
            at: process.execPath,
            message: `Node ${machine.nodeVersion} is older than ${MIN_NODE_VERSION}`,
            hint: `install Node ${MIN_NODE_VERSION} or newer`,
          },
        ]
      : [],
  }),
};

function isOlder(version: string, oldest: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of oldest.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

export const nativeModuleCheck: Check = {
  name: 'native module',
  run: () => {
    const problem = nativeModuleProblem();
    return { findings: problem === undefined ? [] : [problem] };
  },
};

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

/** The port of `serve` is free, or held by the broker of this very data directory. */
export const portCheck: Check = {
  name: 'port',
  run: async ({ settings, daemon }) => {
    const { host, port: wanted } = settings;
    const facts = { listens: daemon?.http ? `${daemon.http.host}:${daemon.http.port}` : null };
    // A broker that runs has its door, or was started without one; 0 takes any that is free.
    if (daemon || wanted === 0) return { findings: [], facts };
    const failure = await listenError(host, wanted);
    if (failure === undefined) return { findings: [], facts };
    const message = `cannot listen on \`${host}:${wanted}\`: ${failure}`;
    const hint = `see who holds it with \`ss -ltnp sport = :${wanted}\`, or choose another with \`--port\``;
    return { facts, findings: [{ code: 'ingress-listen-failed', at: '--port', message, hint }] };
  },
};

function listenError(host: string, wanted: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    server.listen({ host, port: wanted }, () => server.close(() => resolve(undefined)));
  });
}
