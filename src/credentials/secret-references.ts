import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Problem, ProblemError, readOrCollect } from '../domain/problem.ts';
import { Secret } from '../lib/secrets/secret.ts';
import { parseSecretReferences, type ReferencePart } from '../lib/secrets/secret-reference.ts';

/** Sources of the values. `readFile` throws if the file cannot be read. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

/** Use of a resolved value: a header must not contain control characters, an environment variable no NUL. */
export type SecretUse = 'header' | 'variable';

/**
 * Replaces `${env:NAME}` and `${file:PATH}` in a text by their values. The trailing line end of a file is removed.
 * @throws ProblemError for each missing or empty value; it names the variable or file, never a value.
 */
export function resolveSecretReferences(
  text: string,
  sources: SecretSources & { readonly at: string; readonly use?: SecretUse },
): Secret {
  const parts = parseSecretReferences(text);
  if ('message' in parts) {
    throw new ProblemError([
      { code: 'credentials-reference-invalid', at: sources.at, message: parts.message, hint: REFERENCE_HINT },
    ]);
  }
  const problems: Problem[] = [];
  let value = '';
  for (const part of parts) {
    const result = part.kind === 'text' ? part.text : lookup(part, sources);
    if (typeof result === 'string') value += result;
    else problems.push({ ...result, at: sources.at });
  }
  if (problems.length === 0 && containsForbiddenCharacters(value, sources.use ?? 'variable')) {
    problems.push({
      code: 'credentials-reference-invalid',
      at: sources.at,
      message: 'the referenced secret contains a control character',
      hint: 'store the secret as one line without control characters',
    });
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return new Secret(value);
}

/**
 * Resolves every value of a map of headers or variables. `location` returns the place of a key for problems.
 * @throws ProblemError with the problems of all values.
 */
export function resolveAllSecretReferences(
  values: Readonly<Record<string, string>>,
  options: SecretSources & { readonly location: (key: string) => string; readonly use: SecretUse },
): ReadonlyMap<string, Secret> {
  const resolved = new Map<string, Secret>();
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries(values)) {
    const at = options.location(key);
    const secret = readOrCollect(problems, () => resolveSecretReferences(text, { ...options, at }));
    if (secret !== undefined) resolved.set(key, secret);
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return resolved;
}

// In pieces, so that linters do not take it for a template string without backticks.
const REFERENCE_HINT = ['write $', '{env:NAME} or $', '{file:PATH}; $$', '{ stands for a literal $', '{'].join('');

function lookup(part: Exclude<ReferencePart, { kind: 'text' }>, sources: SecretSources): string | Omit<Problem, 'at'> {
  if (part.kind === 'env') {
    const value = Object.hasOwn(sources.env, part.name) ? sources.env[part.name] : undefined;
    if (value !== undefined && value !== '') return value;
    return {
      code: 'credentials-reference-missing',
      message: `the environment variable \`${part.name}\` is not set`,
      hint: `set it in the environment that starts the broker: \`export ${part.name}=…\``,
    };
  }
  const problem = {
    code: 'credentials-reference-missing',
    message: `the secret file \`${part.name}\` cannot be read or is empty`,
    hint: 'write the secret to that file and make it readable by the broker alone (`chmod 600`)',
  } as const;
  try {
    const value = sources.readFile(part.name).replace(/\r?\n$/, '');
    return value === '' ? problem : value;
  } catch {
    // The system's error may quote the content of the file.
    return problem;
  }
}

function containsForbiddenCharacters(value: string, use: SecretUse): boolean {
  return use === 'header' ? /(?!\t)\p{Cc}/u.test(value) : value.includes('\0');
}

const MAX_SECRET_BYTES = 65_536;

/**
 * Creates a reader of secret files, with paths relative to `baseDir`. If other users can read a file, the reader calls
 * `warn`. It throws for a file that is missing, not a regular file, or larger than 64 KiB.
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
