import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import type { Check } from './check.ts';

/** Rights of anybody but the owner. */
const GROUP_AND_OTHERS = 0o077;

/** The data directory and every file in it belong to who runs the broker, and nobody else can read them. */
export const dataDirectoryCheck: Check = {
  name: 'data directory',
  run: ({ settings }) => {
    const path = resolve(settings.data);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // One that is not there yet is made at the first start.
    if (!stats) return { findings: [], facts: { dataDirectory: null } };
    if (!stats.isDirectory()) return { findings: [notADirectory(settings.data)] };
    const findings = [...permissionProblems(settings.data, stats)];
    for (const name of readdirSync(path).sort()) {
      const file = lstatSync(join(path, name), { throwIfNoEntry: false });
      if (file && !file.isSymbolicLink()) findings.push(...permissionProblems(join(settings.data, name), file));
    }
    return { findings, facts: { dataDirectory: path } };
  },
};

function permissionProblems(path: string, { uid, mode }: Stats): readonly Problem[] {
  const faults: Problem[] = [];
  const own = process.getuid?.() ?? uid;
  if (uid !== own) {
    const message = `it belongs to user ${uid}, and this is user ${own}`;
    const hint = `run as its owner, or \`chown ${own} ${path}\``;
    faults.push({ code: 'data-directory-foreign-owner', at: path, message, hint });
  }
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    const message = `other users of this machine may open it: its mode is ${(mode & 0o777).toString(8)}`;
    faults.push({ code: 'doctor-file-open', at: path, message, hint: `chmod go= ${path}` });
  }
  return faults;
}

function notADirectory(at: string): Problem {
  const hint = 'name a directory with `--data`';
  return { code: 'data-directory-unusable', at, message: 'it is no directory', hint };
}
