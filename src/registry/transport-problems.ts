import type { YamlFile, YamlPath } from '../config/yaml-file.ts';
import type { Problem } from '../domain/problem.ts';
import { clearTextSecret, isSecretKey, secretArgument } from '../lib/clear-text-secret.ts';
import { parseReferences } from '../lib/secret-reference.ts';
import type { HttpTransport, ServerSettings, StdioTransport } from './server-settings.ts';

type ServerFile = YamlFile<ServerSettings>;

/** What is wrong with how a server is reached: secrets in clear text, references where none are read, a bad url. */
export function transportProblems(file: ServerFile): Problem[] {
  const { transport } = file.value;
  return transport.type === 'stdio' ? stdioProblems(file, transport) : httpProblems(file, transport);
}

function stdioProblems(file: ServerFile, { command, args, env, cwd }: StdioTransport): Problem[] {
  const plain: [YamlPath, string][] = [[['transport', 'command'], command]];
  if (cwd !== undefined) plain.push([['transport', 'cwd'], cwd]);
  for (const [index, argument] of args.entries()) plain.push([['transport', 'args', index], argument]);
  const problems = plain.flatMap(([path, text]) => unreadReference(file, path, text));
  for (const [index, argument] of args.entries()) {
    const why = secretArgument(argument, index === 0 ? undefined : args[index - 1]);
    const hint =
      'hand it over as a variable: `env: { NAME: "$' + '{env:NAME}" }`; every user of the machine can read arguments';
    if (why !== undefined) problems.push(inClear(file, ['transport', 'args', index], { why, hint }));
  }
  return [...problems, ...valueProblems(file, ['transport', 'env'], env)];
}

function httpProblems(file: ServerFile, { url, headers }: HttpTransport): Problem[] {
  return [...urlProblems(file, url), ...valueProblems(file, ['transport', 'headers'], headers)];
}

function valueProblems(file: ServerFile, at: YamlPath, values: Readonly<Record<string, string>>): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(values)) {
    const path = [...at, key];
    const parts = parseReferences(value);
    if ('message' in parts) {
      const hint = 'write $' + '{env:NAME} or $' + '{file:PATH}; $$' + '{ stands for a literal $' + '{';
      problems.push(file.problem(path, { code: 'credentials-reference-invalid', message: parts.message, hint }));
      continue;
    }
    const why = clearTextSecret(key, value);
    const name = key.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    const hint = `write a reference such as "$\{env:${name}}", and change the secret: it has been in a file`;
    if (why !== undefined) problems.push(inClear(file, path, { why, hint }));
  }
  return problems;
}

function unreadReference(file: ServerFile, path: YamlPath, text: string): Problem[] {
  if (!/\$\{(?:env|file):/.test(text)) return [];
  const hint = 'references are read in `env` and `headers`; write the text itself here';
  return [
    file.problem(path, {
      code: 'credentials-reference-invalid',
      message: 'a reference stands where none is read',
      hint,
    }),
  ];
}

function urlProblems(file: ServerFile, text: string): Problem[] {
  const path = ['transport', 'url'];
  const reference = unreadReference(file, path, text);
  if (reference.length > 0) return reference;
  const wrong = (message: string, hint: string): Problem[] => [
    file.problem(path, { code: 'config-invalid-value', message, hint }),
  ];
  if (!URL.canParse(text)) return wrong('`url` is no absolute url', 'write for example `https://example.org/mcp`');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return wrong(
      '`url` is neither `https` nor `http`',
      'write a url that begins with `https://`, or use `type: stdio`',
    );
  }
  if (url.username !== '' || url.password !== '') {
    return [
      inClear(file, path, { why: '`url` holds a user or password', hint: 'send it in `headers`, as a reference' }),
    ];
  }
  if (url.hash !== '') return wrong('`url` has a fragment, which is never sent', 'delete it from the `#` on');
  for (const [key, value] of url.searchParams) {
    const why = isSecretKey(key) ? '`url` has a secret in its query' : clearTextSecret('', value);
    if (why !== undefined) return [inClear(file, path, { why, hint: 'send it in `headers`, as a reference' })];
  }
  return [];
}

function inClear(file: ServerFile, path: YamlPath, { why, hint }: { why: string; hint: string }): Problem {
  return file.problem(path, { code: 'registry-secret-in-clear', message: `a secret in clear text: ${why}`, hint });
}
