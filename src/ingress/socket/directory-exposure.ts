import { lstatSync, type Stats } from 'node:fs';

/**
 * Why a directory cannot be trusted with the broker's socket; undefined when it can. Whoever may write it could put a
 * socket of their own in its place and hear everything (CWE-379).
 */
export function findExposure(directory: string): string | undefined {
  const uid = process.getuid?.();
  const stats: Stats | undefined = lstatSync(directory, { throwIfNoEntry: false });
  if (!stats || uid === undefined) return undefined;
  if (!stats.isDirectory()) return 'its directory is no directory';
  if (stats.uid !== uid) return `its directory belongs to user ${stats.uid}`;
  return (stats.mode & 0o022) === 0 ? undefined : 'other users may write its directory';
}
