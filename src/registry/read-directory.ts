import { existsSync } from 'node:fs';
import { readTextFiles } from '../config/text-file.ts';
import { ProblemError } from '../domain/problem.ts';
import { MAX_LOCK_BYTES } from './lock.ts';

/**
 * Reads the texts of a registry directory, by path within it.
 * @throws ProblemError for everything that cannot be read or is not UTF-8.
 */
export function readRegistryFiles(dir: string): Record<string, string> {
  if (!existsSync(dir)) {
    const hint = 'run `seneschal init` to make one, or name another with `--registry`';
    throw new ProblemError([{ code: 'config-unreadable', at: dir, message: 'there is no registry here', hint }]);
  }
  return readTextFiles(dir, { folders: ['servers', 'agents', 'virtual'], maxBytes: MAX_LOCK_BYTES });
}
