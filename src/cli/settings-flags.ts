import { type Settings, settingsFrom } from '../app/settings.ts';
import type { Flag } from './declaration.ts';

/** The flags that set where a broker finds its files and listens. Their words are the same on every command. */
export const SETTING_FLAGS: Readonly<Record<keyof Settings, Flag>> = {
  registry: directoryFlag('registry', 'directory of servers, agents and the lock', './registry'),
  policies: directoryFlag('policies', 'directory of the policy files', './policies'),
  data: directoryFlag('data', 'directory of ledger, keys, counters and socket', './.seneschal'),
  port: {
    ...{ name: 'port', value: 'number', variable: 'SENESCHAL_PORT', default: '7411' },
    description: 'port to listen on; 0 takes any that is free',
  },
  host: {
    ...{ name: 'host', value: 'address', variable: 'SENESCHAL_HOST', default: '127.0.0.1' },
    description: 'address to listen on',
  },
};

/** `--output`, which every command has that prints data. */
export const OUTPUT_FLAG: Flag & { readonly default: string } = {
  name: 'output',
  value: 'format',
  description: 'text for people, json for programs',
  choices: ['text', 'json'],
  default: 'text',
};

function directoryFlag(name: keyof Settings, description: string, defaultValue: string): Flag {
  return { name, value: 'dir', description, variable: `SENESCHAL_${name.toUpperCase()}`, default: defaultValue };
}

/** The settings in force: flags before environment before defaults. */
export function settingsOf(flags: { readonly [Name in keyof Settings]?: string | undefined }): Settings {
  return settingsFrom({ flags, env: process.env });
}
