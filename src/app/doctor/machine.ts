import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readLastEntry } from '../../ledger/list-entries.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { nativeModuleProblem } from '../../storage/sqlite-connection.ts';
import { readLedger } from '../queries/ledger.ts';
import type { Check, MachineProbe } from './check.ts';

const SYNC_SAMPLES = 5;
/** About the size of an entry with its database page. */
const SYNC_BLOCK: Uint8Array = Buffer.alloc(4_096);

/** Measures this machine. */
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

/** Oldest supported Node; same as `engines` in package.json. */
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

/** Allowed difference between the clock and the last entry. */
const TOLERANCE_MS = 60_000;

/** Checks that the clock is not behind the last entry of the ledger. */
export const clockCheck: Check = {
  name: 'clock',
  run: ({ settings, clock: machineClock }) => {
    if (!existsSync(databasePathOf(settings.data))) return { findings: [] };
    const last = readLedger(settings, readLastEntry);
    const nowMs = machineClock.wallMs();
    const facts = { now: new Date(nowMs).toISOString(), seq: last?.seq ?? 0 };
    if (last === undefined || last.atMs <= nowMs + TOLERANCE_MS) return { findings: [], facts };
    const message = `the clock is at ${facts.now}, but entry ${last.seq} was written at ${new Date(last.atMs).toISOString()}`;
    const hint = 'set the clock (`timedatectl set-ntp true`): keys and conditions depend on it';
    return { facts, findings: [{ code: 'doctor-clock-behind', at: `entry ${last.seq}`, message, hint }] };
  },
};

/** Checks that the port of `serve` is free, or used by the broker of this data directory. */
export const portCheck: Check = {
  name: 'port',
  run: async ({ settings, daemon }) => {
    const { host, port: wanted } = settings;
    const facts = { listens: daemon?.http ? `${daemon.http.host}:${daemon.http.port}` : null };
    // A running broker already listens, or was started without HTTP; port 0 takes any free port.
    if (daemon || wanted === 0) return { findings: [], facts };
    const failure = await listenError(host, wanted);
    if (failure === undefined) return { findings: [], facts };
    const message = `cannot listen on \`${host}:${wanted}\`: ${failure}`;
    const hint = `find the process with \`ss -ltnp sport = :${wanted}\`, or choose another port with \`--port\``;
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
