import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { EXIT } from '../../../src/cli/framework/exit-codes.ts';
import { readSettings } from '../../../src/config/settings.ts';
import { docBlocks } from '../../fixtures/docs/doc-code.ts';
import { Home } from '../../fixtures/homes/home.ts';

const ANALYZE = '/usr/bin/systemd-analyze';
const unit = docBlocks().find(({ path }) => path === 'seneschal.service')?.text ?? '';
const valuesOf = (key: string): readonly string[] =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

test('the unit of the page starts `serve` with flags that it has, and the settings that its variables name', () => {
  const [, command, flags = ''] = /main\.js ([a-z]+)(.*)$/.exec(valuesOf('ExecStart')[0] ?? '') ?? [];
  const serve = COMMANDS.find(({ path }) => path === command);
  const known = [...(serve?.flags.map(({ name }) => name) ?? []), ...(serve?.settings ?? []), 'output'];
  const given = [...flags.matchAll(/ --([a-z-]+)/g)].map(([, name = '']) => name);
  expect(given).toEqual(['host', 'port', 'output']);
  expect(given.filter((name) => !known.includes(name))).toEqual([]);

  const env = Object.fromEntries(valuesOf('Environment').map((pair) => pair.split('=', 2)));
  const { registry, policies, data } = readSettings({ flags: {}, env });
  expect([registry.value, policies.value, data.value]).toEqual([
    '/etc/seneschal/registry',
    '/etc/seneschal/policies',
    '/var/lib/seneschal',
  ]);
});

test('the unit keeps the broker from writing elsewhere, and does not restart after errors that a restart cannot fix', () => {
  expect(valuesOf('NoNewPrivileges')).toEqual(['yes']);
  expect(valuesOf('ProtectSystem')).toEqual(['strict']);
  expect(valuesOf('StateDirectory')).toEqual(['seneschal']);
  expect(valuesOf('StateDirectoryMode')).toEqual(['0700']);
  expect(valuesOf('RestartSec')).toEqual(['2s']);
  expect(valuesOf('RestartPreventExitStatus')).toEqual([String(EXIT.usage)]);
  // The engine of Node writes code into memory and runs it.
  expect(valuesOf('MemoryDenyWriteExecute')).toEqual([]);
});

test('systemd finds nothing wrong with the unit, where it is installed', async () => {
  expect(unit).toContain('[Service]');
  if (!existsSync(ANALYZE)) return;
  const home = new Home();
  home.write({ 'seneschal.service': unit.replace('/usr/bin/node', process.execPath) });
  const { status, stderr } = spawnSync(ANALYZE, ['verify', home.path('seneschal.service')], { encoding: 'utf8' });
  await home.close();
  expect([status, stderr]).toEqual([0, '']);
});
