import { readTextFiles } from '../config/text-file.ts';

import { MAX_LOCK_BYTES } from './lock.ts';

/**
 * Reads the texts of a registry directory, by path within it.
 * @throws ProblemError for everything that cannot be read or is not UTF-8.
 */
export function readRegistryDirectory(dir: string): Record<string, string> {
  return readTextFiles(dir, { folders: ['servers', 'agents'], maxBytes: MAX_LOCK_BYTES });
}
