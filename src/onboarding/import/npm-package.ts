import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from '../../domain/problem.ts';
import { isJsonObject } from '../../lib/json/json.ts';

/** An npm package and its exact version. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

// A name never begins with `-`: npm and npx would parse it as a flag.
const NAME = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/;
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const RANGE = /^[0-9A-Za-z.^~*+-]{1,64}$/;
const NPM_TIMEOUT_MS = 30_000;

/**
 * Resolves `name`, `name@1.2.3` or `name@latest` to an exact version: the given one, the one installed in `dir` or above,
 * or the one in the npm registry. Without an exact version a later release would run without review.
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
      'not a valid npm package',
      'write for example `npm:@scope/name` or `npm:name@1.2.3`',
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
        error === null ? stdout : new Error(/\bcode (E[A-Z0-9]+)/.exec(stderr)?.[1] ?? 'no response', { cause: error }),
      ),
    );
  });
  signal.throwIfAborted();
  if (output instanceof Error) {
    const hint =
      output.message === 'E404'
        ? 'check the spelling of its name'
        : 'without a network, write the version as in `npm:name@1.2.3`, or `npm install` the package first';
    throw unresolvedPackage(specification, `npm cannot look up its version (${output.message})`, hint);
  }
  const versions = jsonOf(output);
  // For a range npm prints every matching version, the newest last.
  const version: unknown = Array.isArray(versions) ? versions.at(-1) : versions;
  if (typeof version === 'string' && EXACT.test(version)) return version;
  throw unresolvedPackage(specification, 'npm has no matching version', 'write one, as in `npm:name@1.2.3`');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // npm prints nothing for a range that matches no version.
    return undefined;
  }
}

function unresolvedPackage(specification: string, message: string, hint: string): ProblemError {
  const at = `npm:${specification.replace(/[^\x21-\x7e]/gu, '?').slice(0, 128)}`;
  return new ProblemError([{ code: 'registry-package-unresolved', at, message, hint }]);
}
