import { posix } from 'node:path';
import { detectSecret, isSecretKey, secretArgument } from '../../lib/secrets/detect-secret.ts';
import { Secret } from '../../lib/secrets/secret.ts';
import { literalValue } from '../../lib/secrets/secret-reference.ts';
import type { ConfigValue, ConfigVariable } from './configured-server.ts';
import { type VariableNames, variableName } from './variable-names.ts';

/** Context in which a value of one entry is resolved. */
export interface ValueContext {
  /** Name of the server; prefix of new variable names. */
  readonly server: string;
  readonly names: VariableNames;
  /** Value of `${userHome}`. */
  readonly userHome: string;
  /** Value of `${workspaceFolder}`. */
  readonly project: string;
  /** The inputs that the file declares, by id. */
  readonly inputs: ReadonlyMap<string, { readonly isSecret: boolean; readonly description?: string }>;
  /** Called with the name of a variable that only its host can resolve. */
  readonly onUnknownVariable: (variable: string) => void;
}

/** Resolves a value of `env` or `headers`. Text that looks like a secret becomes a reference. */
export function resolveValue(key: string, text: string, context: ValueContext): ConfigValue {
  const parts = splitVariables(text, context, isSecretKey(key));
  if (parts.every((part) => typeof part === 'string')) {
    if (detectSecret(key, literalValue(parts.join(''))) === undefined) return joinParts(parts, literalValue);
    const scheme = /^(?:Bearer|Basic|Token)\s+/i.exec(text)?.[0] ?? '';
    return joinParts(
      [scheme, secretVariable(variableNameFor(key, context), parts.join('').slice(scheme.length), context)],
      literalValue,
    );
  }
  return joinParts(replaceSecrets(parts, variableNameFor(key, context), context), literalValue);
}

/** Resolves a command, an argument, a directory or a URL. `previous` is the preceding argument, such as `--token`. */
export function resolveArgument(text: string, context: ValueContext, previous?: string): ConfigValue {
  const parts = splitVariables(text, context, false);
  if (!parts.every((part) => typeof part === 'string')) {
    return joinParts(replaceSecrets(parts, prefixedName('token', context), context));
  }
  const plain = parts.join('');
  if (secretArgument(literalValue(plain), previous) === undefined) return joinParts(parts);
  const [, flag = '', name = /^-+(.+)$/.exec(previous ?? '')?.[1] ?? 'token'] = /^(-{1,2}([\w-]+)=)/.exec(plain) ?? [];
  return joinParts([flag, secretVariable(prefixedName(name, context), plain.slice(flag.length), context)]);
}

type ValuePart = string | ConfigVariable;

/** Splits a text at its `${…}`. Predefined variables become text, unknown ones stay as written. */
function splitVariables(text: string, context: ValueContext, isSecret: boolean): readonly ValuePart[] {
  const parts: ValuePart[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    parts.push(text.slice(end, match.index), resolveVariable(match[1] ?? '', context, isSecret) ?? match[0]);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== '');
}

function resolveVariable(body: string, context: ValueContext, isSecret: boolean): ValuePart | undefined {
  const predefined = predefinedValue(body, context);
  if (predefined !== undefined) return predefined;
  const id = /^input:(.+)$/.exec(body)?.[1];
  if (id !== undefined) {
    const input = context.inputs.get(id);
    if (input !== undefined) return { name: variableName(id), origin: 'input', ...input };
  }
  // Claude Code writes `${NAME}` and `${NAME:-default}`; Cursor, Cline and VS Code write `${env:NAME}`.
  const [, name, fallback] = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body) ?? [];
  if (name !== undefined) {
    context.names.reserve(name);
    const value = fallback === undefined || fallback === '' ? {} : { value: new Secret(fallback) };
    return { name, origin: 'environment', isSecret: isSecret || isSecretKey(name), ...value };
  }
  context.onUnknownVariable(/^[\w:./-]{1,60}$/.test(body) ? body : '…');
  return undefined;
}

/** Value of a predefined variable of VS Code and Cursor. */
function predefinedValue(body: string, { userHome, project }: ValueContext): string | undefined {
  if (body === 'userHome') return userHome;
  if (body === 'workspaceFolder' || body === 'workspaceRoot') return project;
  if (body === 'workspaceFolderBasename') return posix.basename(project);
  return body === 'pathSeparator' || body === '/' ? '/' : undefined;
}

/** Replaces secrets in a mix of text and variables, where only the form of a text shows that it is a secret. */
function replaceSecrets(parts: readonly ValuePart[], name: string, context: ValueContext): readonly ValuePart[] {
  return parts.map((part) =>
    typeof part === 'string' && detectSecret('', literalValue(part)) !== undefined
      ? secretVariable(name, part, context)
      : part,
  );
}

function secretVariable(preferred: string, secret: string, { server, names }: ValueContext): ConfigVariable {
  const name = names.claim(preferred, { server, secret });
  return { name, origin: 'clear-text', isSecret: true, value: new Secret(secret) };
}

/** Keeps a key of `env` as the variable name. Keys of `headers` repeat across servers and get the server's name. */
function variableNameFor(key: string, context: ValueContext): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && key.toLowerCase() !== 'authorization') return key;
  return prefixedName(/^(?:proxy-)?authorization$/i.test(key) ? 'token' : key.replace(/^x-/i, ''), context);
}

function prefixedName(name: string, { server }: ValueContext): string {
  const [prefix, suffix] = [variableName(server), variableName(name)];
  return suffix.startsWith(`${prefix}_`) ? suffix : `${prefix}_${suffix}`;
}

/** Joins parts to a value. `literal` escapes text: references are resolved only in values of `env` and `headers`. */
function joinParts(parts: readonly ValuePart[], literal: (text: string) => string = (text) => text): ConfigValue {
  return {
    text: parts.map((part) => (typeof part === 'string' ? literal(part) : `\${env:${part.name}}`)).join(''),
    variables: parts.filter((part) => typeof part !== 'string'),
  };
}
