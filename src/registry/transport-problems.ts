import type { YamlFile, YamlPath } from '../config/yaml-file.ts';
import type { Problem } from '../domain/problem.ts';
import { detectSecret } from '../lib/clear-text-secret.ts';
import { parseSecretReferences } from '../lib/secret-reference.ts';
import type { HttpTransport, ServerSettings, StdioTransport } from './server-settings.ts';
import { argumentDefect, clearTextSecretDefect, type Defect, unreadReference, urlDefect } from './transport-defects.ts';

type ServerFile = YamlFile<ServerSettings>;

/** What is wrong with how a server is reached: secrets in clear text, references where none are read, a bad url. */
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
      const hint = 'write $' + '{env:NAME} or $' + '{file:PATH}; $$' + '{ stands for a literal $' + '{';
      problems.push(file.problem(path, { code: 'credentials-reference-invalid', message: parts.message, hint }));
      continue;
    }
    const explanation = detectSecret(key, value);
    const name = key.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    const hint = `write a reference such as "$\{env:${name}}", and change the secret: it has been in a file`;
    if (explanation !== undefined) problems.push(file.problem(path, clearTextSecretDefect(explanation, hint)));
  }
  return problems;
}

function problemsAt(file: ServerFile, path: YamlPath, defect: Defect | undefined): Problem[] {
  return defect === undefined ? [] : [file.problem(path, defect)];
}
