import type { YamlFile, YamlPath } from '../../config/yaml-file.ts';
import type { Problem } from '../../domain/problem.ts';
import { detectSecret, isSecretKey, secretArgument } from '../../lib/secrets/detect-secret.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import type { HttpTransport, ServerSettings, StdioTransport } from './settings.ts';

type ServerFile = YamlFile<ServerSettings>;

/** Finds problems in the transport of a server: secrets in clear text, misplaced references, an invalid URL. */
export function validateTransport(file: ServerFile): Problem[] {
  const { transport } = file.value;
  return transport.type === 'stdio' ? validateStdio(file, transport) : validateHttp(file, transport);
}

function validateStdio(file: ServerFile, { command, args, env, cwd }: StdioTransport): Problem[] {
  const plain: [YamlPath, string][] = [[['transport', 'command'], command]];
  if (cwd !== undefined) plain.push([['transport', 'cwd'], cwd]);
  for (const [index, argument] of args.entries()) plain.push([['transport', 'args', index], argument]);
  const problems = plain.flatMap(([path, text]) => problemsAt(file, path, unreadReference(text)));
  for (const [index, argument] of args.entries()) {
    const defect = argumentDefect(argument, index === 0 ? undefined : args[index - 1]);
    problems.push(...problemsAt(file, ['transport', 'args', index], defect));
  }
  return [...problems, ...validateValues(file, ['transport', 'env'], env)];
}

function validateHttp(file: ServerFile, { url, headers }: HttpTransport): Problem[] {
  return [
    ...problemsAt(file, ['transport', 'url'], urlDefect(url)),
    ...validateValues(file, ['transport', 'headers'], headers),
  ];
}

function validateValues(file: ServerFile, at: YamlPath, values: Readonly<Record<string, string>>): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(values)) {
    const path = [...at, key];
    const parts = parseSecretReferences(value);
    if ('message' in parts) {
      const hint = 'write $' + '{env:NAME} or $' + '{file:PATH}; write $$' + '{ for a literal $' + '{';
      problems.push(file.problem(path, { code: 'credentials-reference-invalid', message: parts.message, hint }));
      continue;
    }
    const explanation = detectSecret(key, value);
    const name = key.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    const hint = `write a reference such as "$\{env:${name}}", and rotate the secret, because it was in a file`;
    if (explanation !== undefined) problems.push(file.problem(path, clearTextSecretDefect(explanation, hint)));
  }
  return problems;
}

function problemsAt(file: ServerFile, path: YamlPath, defect: Defect | undefined): Problem[] {
  return defect === undefined ? [] : [file.problem(path, defect)];
}

/** A problem without its location. The message does not quote the text. */
export type Defect = Omit<Problem, 'at' | 'severity'>;

/** Finds a secret reference in a setting that does not resolve references. */
export function unreadReference(text: string): Defect | undefined {
  if (!/\$\{(?:env|file):/.test(text)) return undefined;
  const message = 'references are not resolved here';
  const hint = 'write the value itself; only `env` and `headers` can hold references';
  return { code: 'credentials-reference-invalid', message, hint };
}

/** Finds a secret in a command-line argument; `before` is the argument before it. */
export function argumentDefect(argument: string, before: string | undefined): Defect | undefined {
  const explanation = secretArgument(argument, before);
  const hint =
    'pass it as a variable: `env: { NAME: "$' + '{env:NAME}" }`; every user of the machine can read arguments';
  return explanation === undefined ? undefined : clearTextSecretDefect(explanation, hint);
}

/** The defect of a server URL, such as a secret in it; undefined when it is valid. */
export function urlDefect(text: string): Defect | undefined {
  const reference = unreadReference(text);
  if (reference !== undefined) return reference;
  if (!URL.canParse(text))
    return invalidUrl('`url` is not an absolute URL', 'write for example `https://example.org/mcp`');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const hint = 'write a URL that begins with `https://`, or use `type: stdio`';
    return invalidUrl('the scheme of `url` is not `https` or `http`', hint);
  }
  if (url.username !== '' || url.password !== '')
    return clearTextSecretDefect('`url` holds a user or password', SECRET_REFERENCE_HINT);
  if (url.hash !== '')
    return invalidUrl('`url` has a fragment, which is never sent', 'delete the `#` and everything after it');
  for (const [key, value] of url.searchParams) {
    const explanation = isSecretKey(key) ? '`url` has a secret in its query' : detectSecret('', value);
    if (explanation !== undefined) return clearTextSecretDefect(explanation, SECRET_REFERENCE_HINT);
  }
  return undefined;
}

/** Makes the defect of a secret in clear text. */
export function clearTextSecretDefect(why: string, hint: string): Defect {
  return { code: 'registry-secret-in-clear', message: `a secret in clear text: ${why}`, hint };
}

const SECRET_REFERENCE_HINT = 'send it in `headers`, as a reference';

function invalidUrl(message: string, hint: string): Defect {
  return { code: 'config-invalid-value', message, hint };
}
