import { type Settings, settingsFrom } from '../../app/settings.ts';
import { ProblemError } from '../../domain/problem.ts';
import { parseDurationMs } from '../../lib/time.ts';
import type { Flag } from './command.ts';

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

/** Which entries of the ledger a command shows; what it is not told it does not filter by. */
export const LEDGER_FILTER_FLAGS = [
  { name: 'agent', value: 'agent', description: 'only of this agent' },
  { name: 'kind', value: 'kind', description: 'only of this kind, such as `call.refused`' },
  { name: 'call', value: 'id', description: 'only of this call' },
  { name: 'tool', value: 'tool', description: 'only of this tool, such as `tool:files/read_text_file`' },
  { name: 'reason', value: 'reason', description: 'only with this reason, such as `policy-denied`' },
  { name: 'since', value: 'time', description: 'made at this time or later: `1h` ago, a day, or a time as ISO 8601' },
] as const;

/** Agrees to what would be asked. */
export const YES_FLAG = { name: 'yes', description: 'agree beforehand, without being asked' } as const;

export const SKIP_BROKEN_FLAG = {
  name: 'skip-broken',
  description: 'leave tools that are not admitted blocked, instead of refusing their server',
} as const;

/** A whole number from 1 to `most` that was typed for a flag. @throws ProblemError `settings-invalid`. */
export function parseCountFlag(flag: string, text: string, max: number = MAX_COUNT): number {
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= max) return Number(text);
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: 'this is no number of calls',
      hint: `write a whole number from 1 ${max === MAX_COUNT ? 'on' : `to ${max}`}`,
    },
  ]);
}

const MAX_COUNT = 999_999_999;

/** Milliseconds of a duration that was typed for a flag; zero is none. @throws ProblemError `settings-invalid`. */
export function parseDurationFlagMs(flag: string, text: string, example: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new ProblemError([
    { code: 'settings-invalid', at: flag, message: 'this is no duration', hint: `write one such as ${example}` },
  ]);
}
