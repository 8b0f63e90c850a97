import { type Settings, settingsFrom } from '../../app/settings.ts';
import { ProblemError } from '../../domain/problem.ts';
import { parseDurationMs } from '../../lib/time.ts';
import type { Flag } from './command.ts';

/** Flags of the settings: the directories and the listening address. They are the same on every command. */
export const SETTING_FLAGS: Readonly<Record<keyof Settings, Flag>> = {
  registry: directoryFlag('registry', 'directory of servers, agents and the lock', './registry'),
  policies: directoryFlag('policies', 'directory of the policy files', './policies'),
  data: directoryFlag('data', 'directory of ledger, keys, counters and socket', './.seneschal'),
  port: {
    name: 'port',
    value: 'number',
    description: 'port to listen on; 0 chooses a free port',
    variable: 'SENESCHAL_PORT',
    default: '7411',
  },
  host: {
    name: 'host',
    value: 'address',
    description: 'address to listen on',
    variable: 'SENESCHAL_HOST',
    default: '127.0.0.1',
  },
};

/** `--output`, a flag of every command that prints data. */
export const OUTPUT_FLAG: Flag & { readonly default: string } = {
  name: 'output',
  value: 'format',
  description: '`text` for people or `json` for programs',
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

/** Filters of ledger entries. An entry must pass all filters that are given. */
export const LEDGER_FILTER_FLAGS = [
  { name: 'agent', value: 'agent', description: 'only entries of this agent' },
  { name: 'kind', value: 'kind', description: 'only entries of this kind, such as `call.refused`' },
  { name: 'call', value: 'id', description: 'only entries of this call' },
  { name: 'tool', value: 'tool', description: 'only entries of this tool, such as `tool:files/read_text_file`' },
  { name: 'reason', value: 'reason', description: 'only entries with this reason, such as `policy-denied`' },
  {
    name: 'since',
    value: 'time',
    description: 'only entries from this time on: a duration ago such as `1h`, a day, or a time in ISO 8601',
  },
] as const;

/** Confirms in advance. */
export const YES_FLAG = { name: 'yes', description: 'confirm without a prompt' } as const;

export const SKIP_BROKEN_FLAG = {
  name: 'skip-broken',
  description: 'add a server even if some of its tools are not admitted; those tools stay blocked',
} as const;

/** Parses the value of a flag as a whole number from 1 to `max`. @throws ProblemError `settings-invalid`. */
export function parseCountFlag(flag: string, text: string, max: number = MAX_COUNT): number {
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= max) return Number(text);
  const range = max === MAX_COUNT ? 'above 0' : `from 1 to ${max}`;
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: `\`${text}\` is not a whole number ${range}`,
      hint: `write a whole number ${range}`,
    },
  ]);
}

const MAX_COUNT = 999_999_999;

/** Parses the value of a flag as a duration above zero, in milliseconds. @throws ProblemError `settings-invalid`. */
export function parseDurationFlagMs(flag: string, text: string, example: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: `\`${text}\` is not a duration`,
      hint: `write a duration such as ${example}`,
    },
  ]);
}
