import { lstatSync, type Stats } from 'node:fs';

/**
 * Why a directory cannot be trusted with the broker's socket; undefined when it can. Whoever may write it could put a
 * socket of their own in its place and hear everything (CWE-379).
 */
export function exposureOf(directory: string): string | undefined {
  const uid = process.getuid?.();
  const found: Stats | undefined = lstatSync(directory, { throwIfNoEntry: false });
  if (!found || uid === undefined) return undefined;
  if (!found.isDirectory()) return 'its directory is no directory';
  if (found.uid !== uid) return `its directory belongs to user ${found.uid}`;
  return (found.mode & 0o022) === 0 ? undefined : 'other users may write its directory';
}
