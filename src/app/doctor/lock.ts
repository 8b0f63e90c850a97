import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { findDataDirectoryHolder } from '../../storage/data-directory.ts';
import { daemonSocketPath } from '../daemon-client.ts';
import type { Check, Environment } from './check.ts';

/** Whoever holds the data directory answers on its socket, and nobody has left marks of having held it. */
export const lockCheck: Check = {
  name: 'lock',
  run: (environment) => {
    const { settings, daemon } = environment;
    const holder = findDataDirectoryHolder(settings.data);
    const facts = { holder: holder?.pid ?? null };
    if (holder && !daemon) return { facts, findings: [unresponsiveDaemon(holder.pid, settings.data)] };
    if (holder && daemon) return { facts, findings: versionMismatch(environment) };
    const staleFiles = [join(settings.data, 'holder.json'), daemonSocketPath(settings)].filter((path) =>
      existsSync(path),
    );
    return { facts, findings: staleFiles.length === 0 ? [] : [staleLock(staleFiles, holderText(settings.data))] };
  },
};

function unresponsiveDaemon(pid: number, at: string): Problem {
  const who = pid === 0 ? 'a process' : `process ${pid}`;
  return {
    code: 'doctor-daemon-silent',
    at,
    message: `${who} holds the data directory and does not answer on its socket`,
    hint: pid === 0 ? 'ask again: it may be starting' : `ask again: it may be starting; if it hangs, \`kill ${pid}\``,
  };
}

function versionMismatch({ daemon, version, settings }: Environment): readonly Problem[] {
  if (!daemon || daemon.version === version) return [];
  const message = `the broker that runs (process ${daemon.pid}) is of version ${daemon.version}, this command of ${version}`;
  const hint = `stop it with \`kill ${daemon.pid}\` and start \`seneschal serve\` again`;
  return [{ code: 'doctor-version-differs', at: settings.data, message, hint, severity: 'warning' }];
}

function staleLock(paths: readonly string[], pid: string): Problem {
  return {
    code: 'doctor-lock-left',
    at: paths[0] ?? '',
    message: `a broker${pid} ended without letting go; nobody holds the data directory now`,
    hint: 'run `seneschal serve`: it takes over, and marks the calls that were under way as in doubt',
    severity: 'warning',
  };
}

/** For people: the lock alone says whether somebody holds. */
function holderText(data: string): string {
  try {
    const pid = /"pid":(\d+)/.exec(readFileSync(join(data, 'holder.json'), 'utf8'))?.[1];
    return pid === undefined ? '' : ` (process ${pid})`;
  } catch {
    return '';
  }
}
