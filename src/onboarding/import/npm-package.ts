import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from '../../domain/problem.ts';
import { isJsonObject } from '../../lib/json/json.ts';

/** A package of npm with the exact version that is to be run. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

// Never with a `-` first: npm and npx would take it for a flag.
const NAME = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/;
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const RANGE = /^[0-9A-Za-z.^~*+-]{1,64}$/;
const NPM_TIMEOUT_MS = 30_000;

/**
 * The exact version of `name`, `name@1.2.3` or `name@latest`: what is written, what is installed in `dir` or above it,
 * or what the registry of npm says. Whoever runs a package by name alone runs tomorrow what nobody looked at today.
 * @throws ProblemError `registry-package-unresolved`.
 */
export async function resolveNpmPackage(
  specification: string,
  { dir, signal }: { readonly dir: string; readonly signal: AbortSignal },
): Promise<NpmPackage> {
  const split = specification.indexOf('@', 1);
  const name = split < 0 ? specification : specification.slice(0, split);
  const requested = split < 0 ? undefined : specification.slice(split + 1);
  if (!NAME.test(name) || (requested !== undefined && !RANGE.test(requested))) {
    throw unresolvedPackage(
      specification,
      'this is no package of npm',
      'write one such as `npm:@scope/name` or `npm:name@1.2.3`',
    );
  }
  if (requested !== undefined && EXACT.test(requested)) return { name, version: requested };
  const installed = requested === undefined ? installedVersion(name, resolve(dir)) : undefined;
  return { name, version: installed ?? (await publishedVersion(specification, signal)) };
}

function installedVersion(name: string, from: string): string | undefined {
  const manifest = join(from, 'node_modules', name, 'package.json');
  if (existsSync(manifest)) {
    const read: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
    if (isJsonObject(read) && typeof read.version === 'string' && EXACT.test(read.version)) return read.version;
  }
  const above = dirname(from);
  return above === from ? undefined : installedVersion(name, above);
}

async function publishedVersion(specification: string, signal: AbortSignal): Promise<string> {
  const args = ['view', '--json', '--fetch-retries=0', '--', specification, 'version'];
  const output = await new Promise<string | Error>((resolveOutput) => {
    execFile('npm', args, { timeout: NPM_TIMEOUT_MS, signal, maxBuffer: 1_048_576 }, (error, stdout, stderr) =>
      resolveOutput(
        error === null ? stdout : new Error(/\bcode (E[A-Z0-9]+)/.exec(stderr)?.[1] ?? 'no answer', { cause: error }),
      ),
    );
  });
  signal.throwIfAborted();
  if (output instanceof Error) {
    const hint =
      output.message === 'E404'
        ? 'look at the spelling of its name'
        : 'without a network, name the version as in `npm:name@1.2.3`, or `npm install` the package and try again';
    throw unresolvedPackage(specification, `npm does not tell its version (${output.message})`, hint);
  }
  const versions = jsonOf(output);
  // Of a range npm names every version that fits, the newest last.
  const version: unknown = Array.isArray(versions) ? versions.at(-1) : versions;
  if (typeof version === 'string' && EXACT.test(version)) return version;
  throw unresolvedPackage(specification, 'npm knows no version of it', 'name one, as in `npm:name@1.2.3`');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // npm prints nothing at all for a range that no version fits.
    return undefined;
  }
}

function unresolvedPackage(specification: string, message: string, hint: string): ProblemError {
  const at = `npm:${specification.replace(/[^\x21-\x7e]/gu, '?').slice(0, 128)}`;
  return new ProblemError([{ code: 'registry-package-unresolved', at, message, hint }]);
}
