import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check, Environment, MachineProbe } from '../../../src/app/doctor/check.ts';
import { diskCheck, lockCheck } from '../../../src/app/doctor/data-directory.ts';
import { runChecks } from '../../../src/app/doctor/doctor.ts';
import { MIN_NODE_VERSION, nodeVersionCheck } from '../../../src/app/doctor/machine.ts';
import { systemClock } from '../../../src/app/system.ts';
import { openDataDirectory } from '../../../src/storage/data-directory.ts';
import { nativeModuleProblem } from '../../../src/storage/sqlite-connection.ts';
import { temporaryDirectory } from '../../fixtures/ledger.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

function setUp(machine: Partial<MachineProbe> = {}, more: Partial<Environment> = {}): Environment {
  const settings = { registry: 'registry', policies: 'policies', data: directory.path, port: 0, host: '127.0.0.1' };
  const sound = { nodeVersion: '20.19.0', freeBytes: () => 5_000_000_000, syncMs: () => 2, ...machine };
  const nothing = { daemon: undefined, files: undefined, problems: [], secrets: [] };
  return {
    settings,
    env: {},
    version: '1.0.0',
    clock: systemClock,
    signal: new AbortController().signal,
    machine: sound,
    ...nothing,
    ...more,
  };
}

async function found(check: Check, about: Environment): Promise<readonly string[]> {
  const { findings } = await runChecks([check], about);
  return findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
}

test('a Node that is older than what is tested', async () => {
  const message = (version: string): string => `error doctor-node-too-old: Node ${version} is older than 20.19.0`;
  expect(await found(nodeVersionCheck, setUp({ nodeVersion: '20.18.3' }))).toEqual([message('20.18.3')]);
  expect(await found(nodeVersionCheck, setUp({ nodeVersion: '18.20.8' }))).toEqual([message('18.20.8')]);
  expect(await found(nodeVersionCheck, setUp({ nodeVersion: '24.0.0' }))).toEqual([]);
});

test('the oldest Node is the one that the package asks for', () => {
  const manifest: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8'));
  expect(manifest).toMatchObject({ engines: { node: `>=${MIN_NODE_VERSION.replace(/\.0$/, '')}` } });
});

test('a native module that was built for another Node', () => {
  const broken = (): void => {
    throw new Error('The module was compiled against a different Node.js version\nusing NODE_MODULE_VERSION 115');
  };
  expect(nativeModuleProblem(broken)).toEqual({
    code: 'storage-native-module',
    at: 'better-sqlite3',
    message: 'the native module does not load: The module was compiled against a different Node.js version',
    hint: 'run `npm rebuild better-sqlite3` with the Node version that runs the broker, or install again',
  });
  expect(nativeModuleProblem()).toBeUndefined();
});

test('a disk that is full, nearly full, or slow', async () => {
  const room = (mebibytes: number): Promise<readonly string[]> =>
    found(diskCheck, setUp({ freeBytes: () => mebibytes * 1_048_576 }));
  const why = 'MiB are free on its disk; a ledger without room refuses every call';
  expect(await room(63)).toEqual([`error doctor-disk-full: 63 ${why}`]);
  expect(await room(1_023)).toEqual([`warning doctor-disk-full: 1023 ${why}`]);
  expect(await room(1_024)).toEqual([]);
  expect(await found(diskCheck, setUp({ syncMs: () => 50 }))).toEqual([]);
  expect(await found(diskCheck, setUp({ syncMs: () => 51 }))).toEqual([
    'warning doctor-disk-slow: a write takes 51 ms until it is durable, and every call waits for two',
  ]);
});

test('a broker of another version than the command', async () => {
  const held = openDataDirectory(directory.path);
  const daemon = { pid: 7, version: '0.9.0', http: null, secrets: [] };
  expect(await found(lockCheck, setUp({}, { daemon }))).toEqual([
    'warning doctor-version-differs: the broker that runs (process 7) is of version 0.9.0, this command of 1.0.0',
  ]);
  expect(await found(lockCheck, setUp({}, { daemon: { ...daemon, version: '1.0.0' } }))).toEqual([]);
  held.close();
});

test('a check that breaks is a fault of its own and keeps none of the others from being made', async () => {
  const broken: Check = {
    name: 'broken',
    run: () => {
      throw new TypeError('no such thing');
    },
  };
  const { findings, checked, healthy } = await runChecks([broken, diskCheck], setUp({ freeBytes: () => 0 }));
  expect(findings.map(({ check, code, message }) => [check, code, message])).toEqual([
    ['broken', 'doctor-check-failed', 'this could not be checked: no such thing'],
    ['disk', 'doctor-disk-full', '0 MiB are free on its disk; a ledger without room refuses every call'],
  ]);
  expect([checked, healthy]).toEqual([['broken', 'disk'], false]);
});
