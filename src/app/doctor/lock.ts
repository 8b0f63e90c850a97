import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { dataDirectoryHolder } from '../../storage/data-directory.ts';
import { daemonSocketPath } from '../daemon-client.ts';
import type { Check, SetUp } from './check.ts';

/** Whoever holds the data directory answers on its socket, and nobody has left marks of having held it. */
export const lock: Check = {
  name: 'lock',
  run: (setUp) => {
    const { settings, daemon } = setUp;
    const holder = dataDirectoryHolder(settings.data);
    const facts = { holder: holder?.pid ?? null };
    if (holder && !daemon) return { facts, findings: [silent(holder.pid, settings.data)] };
    if (holder && daemon) return { facts, findings: otherVersion(setUp) };
    const left = [join(settings.data, 'holder.json'), daemonSocketPath(settings)].filter((path) => existsSync(path));
    return { facts, findings: left.length === 0 ? [] : [leftBehind(left, holderNamed(settings.data))] };
  },
};

function silent(pid: number, at: string): Problem {
  const who = pid === 0 ? 'a process' : `process ${pid}`;
  return {
    code: 'doctor-daemon-silent',
    at,
    message: `${who} holds the data directory and does not answer on its socket`,
    hint: pid === 0 ? 'ask again: it may be starting' : `ask again: it may be starting; if it hangs, \`kill ${pid}\``,
  };
}

function otherVersion({ daemon, version, settings }: SetUp): readonly Problem[] {
  if (!daemon || daemon.version === version) return [];
  const message = `the broker that runs (process ${daemon.pid}) is of version ${daemon.version}, this command of ${version}`;
  const hint = `stop it with \`kill ${daemon.pid}\` and start \`seneschal serve\` again`;
  return [{ code: 'doctor-version-differs', at: settings.data, message, hint, severity: 'warning' }];
}

function leftBehind(paths: readonly string[], pid: string): Problem {
  return {
    code: 'doctor-lock-left',
    at: paths[0] ?? '',
    message: `a broker${pid} ended without letting go; nobody holds the data directory now`,
    hint: 'run `seneschal serve`: it takes over, and marks the calls that were under way as in doubt',
    severity: 'warning',
  };
}

/** For people: the lock alone says whether somebody holds. */
function holderNamed(data: string): string {
  try {
    const pid = /"pid":(\d+)/.exec(readFileSync(join(data, 'holder.json'), 'utf8'))?.[1];
    return pid === undefined ? '' : ` (process ${pid})`;
  } catch {
    return '';
  }
}
