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

function environmentWith(machine: Partial<MachineProbe> = {}, more: Partial<Environment> = {}): Environment {
  const settings = { registry: 'registry', policies: 'policies', data: directory.path, port: 0, host: '127.0.0.1' };
  const probe = { nodeVersion: '20.19.0', freeBytes: () => 5_000_000_000, syncMs: () => 2, ...machine };
  return {
    settings,
    env: {},
    version: '1.0.0',
    clock: systemClock,
    signal: new AbortController().signal,
    machine: probe,
    daemon: undefined,
    files: undefined,
    problems: [],
    secrets: [],
    ...more,
  };
}

async function findingsOf(check: Check, environment: Environment): Promise<readonly string[]> {
  const { findings } = await runChecks([check], environment);
  return findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
}

test('an older Node than the supported ones is an error', async () => {
  const message = (version: string): string => `error doctor-node-too-old: Node ${version} is older than 20.19.0`;
  expect(await findingsOf(nodeVersionCheck, environmentWith({ nodeVersion: '20.18.3' }))).toEqual([message('20.18.3')]);
  expect(await findingsOf(nodeVersionCheck, environmentWith({ nodeVersion: '18.20.8' }))).toEqual([message('18.20.8')]);
  expect(await findingsOf(nodeVersionCheck, environmentWith({ nodeVersion: '24.0.0' }))).toEqual([]);
});

test('the oldest supported Node is the one in package.json', () => {
  const manifest: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8'));
  expect(manifest).toMatchObject({ engines: { node: `>=${MIN_NODE_VERSION.replace(/\.0$/, '')}` } });
});

test('a native module for another Node is an error', () => {
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

test('a full disk is an error, a nearly full or slow one a warning', async () => {
  const withFreeSpace = (mebibytes: number): Promise<readonly string[]> =>
    findingsOf(diskCheck, environmentWith({ freeBytes: () => mebibytes * 1_048_576 }));
  const free = (mebibytes: number): string =>
    `its disk has ${mebibytes} MiB free; when it is full, every call is refused`;
  expect(await withFreeSpace(63)).toEqual([`error doctor-disk-full: ${free(63)}`]);
  expect(await withFreeSpace(1_023)).toEqual([`warning doctor-disk-full: ${free(1_023)}`]);
  expect(await withFreeSpace(1_024)).toEqual([]);
  expect(await findingsOf(diskCheck, environmentWith({ syncMs: () => 50 }))).toEqual([]);
  expect(await findingsOf(diskCheck, environmentWith({ syncMs: () => 51 }))).toEqual([
    'warning doctor-disk-slow: a durable write takes 51 ms, and every call waits for two',
  ]);
});

test('a running broker of another version than the command is a warning', async () => {
  const held = openDataDirectory(directory.path);
  const daemon = { pid: 7, version: '0.9.0', http: null, secrets: [] };
  expect(await findingsOf(lockCheck, environmentWith({}, { daemon }))).toEqual([
    'warning doctor-version-differs: the running broker (process 7) has version 0.9.0, this command 1.0.0',
  ]);
  expect(await findingsOf(lockCheck, environmentWith({}, { daemon: { ...daemon, version: '1.0.0' } }))).toEqual([]);
  held.close();
});

test('a check that throws is an error of its own, and the other checks still run', async () => {
  const broken: Check = {
    name: 'broken',
    run: () => {
      throw new TypeError('no such thing');
    },
  };
  const { findings, checked, healthy } = await runChecks([broken, diskCheck], environmentWith({ freeBytes: () => 0 }));
  expect(findings.map(({ check, code, message }) => [check, code, message])).toEqual([
    ['broken', 'doctor-check-failed', 'the check failed: no such thing'],
    ['disk', 'doctor-disk-full', 'its disk has 0 MiB free; when it is full, every call is refused'],
  ]);
  expect([checked, healthy]).toEqual([['broken', 'disk'], false]);
});
