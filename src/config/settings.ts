import { isIP } from 'node:net';
import { type Problem, ProblemError } from '../domain/problem.ts';

/** A value and its origin: a flag such as `--port`, a variable such as `SENESCHAL_PORT`, or `default`. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: string;
}

/** Settings of a broker. */
export interface BrokerSettings {
  /** Directory of the registry. Default: `./registry`. */
  readonly registry: Setting<string>;
  /** Directory of the policies. Default: `./policies`. */
  readonly policies: Setting<string>;
  /** Directory of ledger, keys and socket. Default: `./.seneschal`. */
  readonly data: Setting<string>;
  /** TCP port, 0 to 65535; 0 lets the system choose. Default: 7411. */
  readonly port: Setting<number>;
  /** Address to listen on. Default: `127.0.0.1`. */
  readonly host: Setting<string>;
}

/** Values of the flags of the settings, as typed. */
export type SettingFlags = { readonly [Name in keyof BrokerSettings]?: string | undefined };

interface SettingDefinition<T> {
  readonly name: keyof BrokerSettings;
  readonly default: T;
  readonly parse: (text: string) => T | undefined;
  readonly hint: string;
}

const DIRECTORY = { parse: parseText, hint: 'name a directory' };
const REGISTRY: SettingDefinition<string> = { name: 'registry', default: './registry', ...DIRECTORY };
const POLICIES: SettingDefinition<string> = { name: 'policies', default: './policies', ...DIRECTORY };
const DATA: SettingDefinition<string> = { name: 'data', default: './.seneschal', ...DIRECTORY };
const PORT: SettingDefinition<number> = {
  name: 'port',
  default: 7411,
  parse: parsePort,
  hint: 'write a whole number from 0 to 65535',
};
const HOST: SettingDefinition<string> = {
  name: 'host',
  default: '127.0.0.1',
  parse: parseHost,
  hint: 'write an address such as `127.0.0.1`, or a host name',
};

/**
 * Reads the settings: flag, else environment, else default. An empty variable counts as not set; an empty flag is
 * invalid.
 * @throws ProblemError (`settings-invalid`) with every invalid value, at its flag or variable.
 */
export function readSettings(source: {
  readonly flags: SettingFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
}): BrokerSettings {
  const problems: Problem[] = [];
  const read = <T>(declaration: SettingDefinition<T>): Setting<T> => {
    const configured = configuredValue(declaration.name, source);
    if (configured === undefined) return { value: declaration.default, origin: 'default' };
    const value = declaration.parse(configured.text);
    if (value !== undefined) return { value, origin: configured.origin };
    const message = `\`${escapeControls(configured.text)}\` is not a valid ${SETTING_LABELS[declaration.name]}`;
    problems.push({ code: 'settings-invalid', at: configured.origin, message, hint: declaration.hint });
    return { value: declaration.default, origin: 'default' };
  };
  const settings = {
    registry: read(REGISTRY),
    policies: read(POLICIES),
    data: read(DATA),
    port: read(PORT),
    host: read(HOST),
  };
  if (problems.length > 0) throw new ProblemError(problems);
  return settings;
}

const SETTING_LABELS = {
  registry: 'directory',
  policies: 'directory',
  data: 'directory',
  port: 'port',
  host: 'host',
} as const;

function configuredValue(
  name: keyof BrokerSettings,
  { flags, env }: { readonly flags: SettingFlags; readonly env: Readonly<Record<string, string | undefined>> },
): { text: string; origin: string } | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, origin: `--${name}` };
  const variable = `SENESCHAL_${name.toUpperCase()}`;
  const text = env[variable];
  return text === undefined || text === '' ? undefined : { text, origin: variable };
}

function parseText(text: string): string | undefined {
  return text === '' || /\p{Cc}/u.test(text) ? undefined : text;
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function parseHost(text: string): string | undefined {
  const isName =
    /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(text);
  // A name of only digits and dots is a mistyped address.
  return isIP(text) !== 0 || (isName && /[A-Za-z]/.test(text)) ? text : undefined;
}

function escapeControls(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
}
