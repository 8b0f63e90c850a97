import { dirname, join, resolve } from 'node:path';
import { readSettings, type SettingFlags } from '../config/settings.ts';
import { digestOf } from '../lib/digest.ts';

/** Directories and address of a broker. Directories as they were typed, so that problems name them the same way. */
export interface Settings {
  readonly registry: string;
  readonly policies: string;
  readonly data: string;
  readonly port: number;
  readonly host: string;
}

/** Settings from flags, else environment variables, else defaults. @throws ProblemError `settings-invalid`. */
export function settingsFrom(source: {
  readonly flags: SettingFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Settings {
  const { registry, policies, data, port, host } = readSettings(source);
  return {
    registry: plainPath(registry.value),
    policies: plainPath(policies.value),
    data: plainPath(data.value),
    port: port.value,
    host: host.value,
  };
}

/** The directory that holds the registry. Relative paths in registry files start there. */
export function homeOf(settings: Pick<Settings, 'registry'>): string {
  return dirname(resolve(settings.registry));
}

/** A socket's path must fit `sockaddr_un` (108 bytes on Linux, 104 on macOS). */
const LONGEST_SOCKET_PATH = 100;

/**
 * Path of the daemon's socket: in the data directory or, if that path is too long, in a private directory of the user.
 * Not in `TMPDIR`: agents start their servers without it, and would look in another place than the daemon listens.
 */
export function socketPathOf(settings: Pick<Settings, 'data'>, uid: number): string {
  const path = join(resolve(settings.data), 'broker.sock');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  const name = digestOf(resolve(settings.data)).slice('sha256:'.length, 'sha256:'.length + 16);
  return join('/tmp', `seneschal-${uid}`, `${name}.sock`);
}

function plainPath(path: string): string {
  return path.startsWith('./') && path.length > 2 ? path.slice(2) : path;
}
