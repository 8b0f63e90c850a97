import { lstatSync, type Stats } from 'node:fs';

/**
 * Returns why a directory is not safe for the broker's socket; undefined if it is. Another user with write access could
 * replace the socket and receive all messages (CWE-379).
 */
export function findDirectoryExposure(directory: string): string | undefined {
  const uid = process.getuid?.();
  const stats: Stats | undefined = lstatSync(directory, { throwIfNoEntry: false });
  if (!stats || uid === undefined) return undefined;
  if (!stats.isDirectory()) return 'its parent is not a directory';
  if (stats.uid !== uid) return `its directory belongs to user ${stats.uid}, not to you`;
  return (stats.mode & 0o022) === 0 ? undefined : 'other users can write to its directory';
}
