import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../domain/problem.ts';

const MAX_SECRET_BYTES = 65_536;

/**
 * The way to read secret files, with paths relative to `baseDir`. A file that other users can read is read and told
 * of through `warn`. The reader throws for a file that is missing, no plain file, or larger than 64 KiB.
 */
export function createSecretFileReader(options: {
  readonly baseDir: string;
  readonly warn: (problem: Problem) => void;
}): (path: string) => string {
  return (path) => {
    const absolute = resolve(options.baseDir, path);
    const file = openSync(absolute, 'r');
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > MAX_SECRET_BYTES) throw new RangeError('not a secret file');
      if ((stat.mode & 0o007) !== 0) options.warn(readableByOthers(path));
      return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    } finally {
      closeSync(file);
    }
  };
}

function readableByOthers(path: string): Problem {
  return {
    code: 'credentials-file-readable-by-others',
    at: path,
    message: `the secret file \`${path}\` can be read by every user of this machine`,
    hint: `chmod 600 ${path}`,
    severity: 'warning',
  };
}
