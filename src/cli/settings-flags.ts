import { type Command, Option } from 'commander';
import { type Settings, settingsFrom } from '../app/settings.ts';
import type { OutputFormat } from './output.ts';

/** What commander hands to an action of a command that was given these flags. */
export interface CommonFlags {
  readonly output: OutputFormat;
  readonly registry?: string;
  readonly policies?: string;
  readonly data?: string;
  readonly port?: string;
  readonly host?: string;
}

const FLAGS: Readonly<Record<keyof Settings, readonly [flag: string, description: string]>> = {
  registry: ['--registry <dir>', 'directory of servers, agents and the lock (default: ./registry; SENESCHAL_REGISTRY)'],
  policies: ['--policies <dir>', 'directory of the policy files (default: ./policies; SENESCHAL_POLICIES)'],
  data: ['--data <dir>', 'directory of ledger, keys and counters (default: ./.seneschal; SENESCHAL_DATA)'],
  port: ['--port <number>', 'port to listen on (default: 7411; SENESCHAL_PORT)'],
  host: ['--host <address>', 'address to listen on (default: 127.0.0.1; SENESCHAL_HOST)'],
};

/** Adds the flags of settings to a command, always in the same words. */
export function settingsFlags(command: Command, names: readonly (keyof Settings)[]): Command {
  for (const name of names) command.option(...FLAGS[name]);
  return command;
}

/** Adds `--output`. */
export function outputFlag(command: Command): Command {
  return command.addOption(
    new Option('--output <format>', 'text for people, json for programs').choices(['text', 'json']).default('text'),
  );
}

/** The settings in force: flags before environment before defaults. */
export function settingsOf(flags: Partial<CommonFlags>): Settings {
  return settingsFrom({ flags, env: process.env });
}
