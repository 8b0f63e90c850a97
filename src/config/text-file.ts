import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { MAX_YAML_BYTES } from './yaml-document.ts';

/**
 * Reads all files below a directory as UTF-8, by path within it, in the order of their paths. Links are followed; names
 * that begin with a dot are skipped. If `folders` is given, only these folders are entered.
 * @throws ProblemError for a file that cannot be read, is not UTF-8 or is too large, and for a loop of links.
 */
export function readTextFiles(
  dir: string,
  options: { readonly folders?: readonly string[]; readonly maxBytes?: number } = {},
): Record<string, string> {
  const reader: DirectoryReader = { dir, texts: {}, problems: [], maxBytes: options.maxBytes ?? MAX_YAML_BYTES };
  readFolder(reader, '', options.folders);
  if (reader.problems.length > 0) throw new ProblemError(reader.problems);
  return reader.texts;
}

interface DirectoryReader {
  readonly dir: string;
  readonly texts: Record<string, string>;
  readonly problems: Problem[];
  readonly maxBytes: number;
}

const MAX_DIRECTORY_DEPTH = 8;

function readFolder(reader: DirectoryReader, folder: string, only: readonly string[] | undefined): void {
  const entries = tryRead(reader, folder, () => readdirSync(join(reader.dir, folder), { withFileTypes: true }));
  for (const entry of (entries ?? []).sort(byName)) {
    if (entry.name.startsWith('.')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const absolute = join(reader.dir, path);
    const stat = tryRead(reader, path, () => statSync(absolute));
    if (stat?.isDirectory()) {
      if (only !== undefined && !only.includes(path)) {
        // A folder with the name of a file must not count as an absent file.
        if (entry.name.includes('.'))
          reader.problems.push(unreadableProblem(join(reader.dir, path), 'it is a directory'));
        continue;
      }
      if (isDirectoryLoop(reader, path))
        reader.problems.push(unreadableProblem(join(reader.dir, path), 'it is a loop of links'));
      else readFolder(reader, path, undefined);
    } else if (stat?.isFile()) {
      const text = tryRead(reader, path, () => readText(absolute, reader.maxBytes));
      if (text !== undefined) reader.texts[path] = text;
    } else if (stat !== undefined) {
      reader.problems.push(unreadableProblem(join(reader.dir, path), 'it is neither a file nor a directory'));
    }
  }
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

function isDirectoryLoop(reader: DirectoryReader, path: string): boolean {
  const real = realpathSync(join(reader.dir, path));
  const parents = path.split('/').map((_, index, names) => realpathSync(join(reader.dir, ...names.slice(0, index))));
  return parents.includes(real) || parents.length > MAX_DIRECTORY_DEPTH;
}

/**
 * Reads one file as UTF-8 text.
 * @throws ProblemError if it cannot be read, is not UTF-8 or is larger than `maxBytes` (default: 1 MB).
 */
export function readTextFile(file: string, maxBytes: number = MAX_YAML_BYTES): string {
  const problems: Problem[] = [];
  const text = tryRead({ dir: file, problems }, '', () => readText(file, maxBytes));
  if (text === undefined) throw new ProblemError(problems);
  return text;
}

function readText(file: string, maxBytes: number): string {
  if (statSync(file).size > maxBytes) throw new RangeError(`it is larger than ${maxBytes} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
}

function tryRead<T>(reader: Pick<DirectoryReader, 'dir' | 'problems'>, path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    reader.problems.push(unreadableProblem(join(reader.dir, path), describeSystemError(error)));
    return undefined;
  }
}

function describeSystemError(error: unknown): string {
  if (error instanceof RangeError) return error.message;
  if (error instanceof TypeError) return 'it is not UTF-8';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return SYSTEM_REASONS[code] ?? `system error \`${code}\``;
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'it is a loop of links',
  ENOTDIR: 'it is not a directory',
  EISDIR: 'it is a directory',
};

function unreadableProblem(at: string, explanation: string): Problem {
  return {
    code: 'config-unreadable',
    at,
    message: `this cannot be read: ${explanation}`,
    hint: `check it with \`ls -l ${at}\``,
  };
}
