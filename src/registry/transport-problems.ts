import type { YamlFile, YamlPath } from '../config/yaml-file.ts';
import type { Problem } from '../domain/problem.ts';
import { clearTextSecret } from '../lib/clear-text-secret.ts';
import { parseReferences } from '../lib/secret-reference.ts';
import type { HttpTransport, ServerSettings, StdioTransport } from './server-settings.ts';
import { argumentDefect, type Defect, inClear, unreadReference, urlDefect } from './transport-defects.ts';

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
  const problems = plain.flatMap(([path, text]) => problemsAt(file, path, unreadReference(text)));
  for (const [index, argument] of args.entries()) {
    const defect = argumentDefect(argument, index === 0 ? undefined : args[index - 1]);
    problems.push(...problemsAt(file, ['transport', 'args', index], defect));
  }
  return [...problems, ...valueProblems(file, ['transport', 'env'], env)];
}

function httpProblems(file: ServerFile, { url, headers }: HttpTransport): Problem[] {
  return [
    ...problemsAt(file, ['transport', 'url'], urlDefect(url)),
    ...valueProblems(file, ['transport', 'headers'], headers),
  ];
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
    if (why !== undefined) problems.push(file.problem(path, inClear(why, hint)));
  }
  return problems;
}

function problemsAt(file: ServerFile, path: YamlPath, defect: Defect | undefined): Problem[] {
  return defect === undefined ? [] : [file.problem(path, defect)];
}
